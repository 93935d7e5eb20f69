//! The trained weights that are built into every binary.

/// Name and bytes of each, in the order in which they came.
///
/// `lockstep` is trained on the whole corpus, `lockstep-open` only on openly licensed songs; `base` is the lab's conditional
/// GAN, which starts from noise and does not hear its own drums; `lockstep-2` is the player, the default. All but `base` have
/// model cards, `models/weights/*.md`.
pub static EMBEDDED: [(&str, &[u8]); 4] = [
    (
        "lockstep",
        include_bytes!("../../weights/lockstep.safetensors"),
    ),
    (
        "lockstep-open",
        include_bytes!("../../weights/lockstep-open.safetensors"),
    ),
    ("base", include_bytes!("../../weights/base.safetensors")),
    (EMBEDDED_NAME, EMBEDDED_WEIGHTS),
];

/// The default drummer's name.
pub const EMBEDDED_NAME: &str = "lockstep-2";

/// The default drummer's weights.
pub static EMBEDDED_WEIGHTS: &[u8] = include_bytes!("../../weights/lockstep-2.safetensors");

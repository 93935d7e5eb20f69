//! The trained weights that are built into every binary.

/// Name and bytes of each; the default drummer comes first.
///
/// `lockstep` is trained on the whole corpus, `lockstep-open` only on openly licensed songs; `base` is the lab's conditional
/// GAN, which starts from noise and does not hear its own drums; `lockstep-2` is the player, a preview. All but `base` have
/// model cards, `models/weights/*.md`.
pub static EMBEDDED: [(&str, &[u8]); 4] = [
    ("lockstep", EMBEDDED_WEIGHTS),
    (
        "lockstep-open",
        include_bytes!("../../weights/lockstep-open.safetensors"),
    ),
    ("base", include_bytes!("../../weights/base.safetensors")),
    (
        "lockstep-2",
        include_bytes!("../../weights/lockstep-2.safetensors"),
    ),
];

/// The default drummer's weights.
pub static EMBEDDED_WEIGHTS: &[u8] = include_bytes!("../../weights/lockstep.safetensors");

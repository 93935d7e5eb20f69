//! The trained weights that are part of every binary.

/// Name and bytes of each, the one that plays unless another is chosen first.
///
/// `lockstep` has learnt from the whole corpus, `lockstep-open` from openly licensed songs alone; `base` is the
/// conditional GAN of the laboratory, which starts from noise and does not hear its own drums. Their model cards are
/// `models/weights/*.md`.
pub static EMBEDDED: [(&str, &[u8]); 3] = [
    ("lockstep", EMBEDDED_WEIGHTS),
    (
        "lockstep-open",
        include_bytes!("../../weights/lockstep-open.safetensors"),
    ),
    ("base", include_bytes!("../../weights/base.safetensors")),
];

/// The weights that play unless others are chosen.
pub static EMBEDDED_WEIGHTS: &[u8] = include_bytes!("../../weights/lockstep.safetensors");

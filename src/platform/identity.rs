//! New identities, made on the device so that no server is needed to create anything.

use js_sys::Math;

/// Makes an identity that no other device makes: 128 random bits.
#[must_use]
pub fn new_id() -> String {
    let mut bytes = [0_u8; 16];
    let random = leptos::prelude::window().crypto().ok();
    let filled =
        random.is_some_and(|crypto| crypto.get_random_values_with_u8_array(&mut bytes).is_ok());
    if !filled {
        // Every browser since 2013 has `crypto`; a till without it still must not stop.
        bytes.fill_with(|| (Math::random() * 256.0) as u8);
    }
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// Makes a number that differs from device to device, for pauses that shall not coincide.
#[must_use]
pub fn seed() -> u64 {
    (Math::random() * 2_f64.powi(53)) as u64
}

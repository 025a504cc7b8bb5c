//! A schema file of any text is read, or refused with a reason that can be shown.
#![no_main]

use espressync_model::sdl;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = sdl::parse_api(text, "schema.graphql") {
        assert!(!error.to_string().is_empty());
    }
});

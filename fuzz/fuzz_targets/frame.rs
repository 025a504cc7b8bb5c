//! A realtime message or handshake of any text is read, or refused with a reason; and what was read
//! is written so that it is read the same again.
#![no_main]

use espressync_wire::realtime::{
    ClientFrame, ServerFrame, data_frame, read_header, read_offered_protocols,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value as Json;

fuzz_target!(|text: &str| {
    match ClientFrame::parse(text) {
        Ok(frame) => assert_eq!(ClientFrame::parse(&frame.to_text()).as_ref().ok(), Some(&frame)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match ServerFrame::parse(text) {
        Ok(frame) => {
            assert_eq!(ServerFrame::parse(&frame.to_text()).as_ref().ok(), Some(&frame));
            if let ServerFrame::Data { id, payload } = &frame {
                let json = |text: &str| serde_json::from_str::<Json>(text).ok();
                let quick = data_frame(id, &payload.to_string());
                assert_eq!(json(&quick), json(&frame.to_text()));
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let _ = read_offered_protocols(text);
    let _ = read_header(text);
});

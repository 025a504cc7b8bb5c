//! AppSync's realtime protocol (contract 5): the handshake, the frames of both sides, and the
//! client's half as a state machine that knows no socket.

mod frame;
mod handshake;
mod session;

pub use frame::{ClientFrame, FrameError, ServerFrame, data_frame};
pub use handshake::{
    PROTOCOL, host_of, offered_protocols, read_header, read_offered_protocols, realtime_url,
};
pub use session::{ClientSession, Event, Output};

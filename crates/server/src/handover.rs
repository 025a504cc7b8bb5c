use std::io;
use std::net::TcpListener;

use listenfd::ListenFd;

/// The socket that whoever started the program has opened for it, as systemd's socket units do.
///
/// It outlives the program. Who comes while the server is started anew, for a new version or a
/// long migration, waits in the system's queue and is not refused; and an `aws-amplify` client
/// that is refused for half a second gives up the mutation it came with (contract 6.4).
///
/// # Errors
/// The system's, for what is handed over and is no TCP socket.
pub fn inherited_socket() -> io::Result<Option<TcpListener>> {
    let socket = ListenFd::from_env().take_tcp_listener(0)?;
    if let Some(socket) = &socket {
        socket.set_nonblocking(true)?;
    }
    Ok(socket)
}

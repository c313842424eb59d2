// SPDX-License-Identifier: GPL-2.0
//! What `make bench` runs in the guest; see `e1000e_vm/cost.py`.
//!
//!     bench mark from|to       tells the counter of instructions where to begin and to end
//!     bench serve              answers the following on TCP port 5003, one after the other
//!     bench ask ADDRESS N      N bytes there and back, one by one
//!     bench send ADDRESS N     sends N KiB, and waits until they have arrived
//!     bench fetch ADDRESS N    has N KiB sent

use std::{
    arch::asm,
    env,
    io::{
        Error,
        Read,
        Result,
        Write, //
    },
    net::{
        TcpListener,
        TcpStream, //
    }, //
};

const PORT: u16 = 5003;
const BUFFER: usize = 64 << 10;

fn mark(which: &str) -> Result<()> {
    // SAFETY: They do nothing.
    match which {
        "from" => unsafe { asm!(".byte 0x0f,0x1f,0x84,0x00", ".ascii \"from\"") },
        "to" => unsafe { asm!(".byte 0x0f,0x1f,0x84,0x00", ".ascii \"to..\"") },
        _ => return Err(Error::other("from or to")),
    }
    Ok(())
}

fn echo(stream: &mut TcpStream) -> Result<()> {
    let mut byte = [0];
    while stream.read(&mut byte)? == 1 {
        stream.write_all(&byte)?;
    }
    Ok(())
}

fn push(stream: &mut TcpStream, mut bytes: usize) -> Result<()> {
    let buffer = vec![0; BUFFER];
    while bytes > 0 {
        bytes -= stream.write(&buffer[..bytes.min(BUFFER)])?;
    }
    // It has arrived.
    stream.read_exact(&mut [0])
}

fn pull(stream: &mut TcpStream, mut bytes: usize) -> Result<()> {
    let mut buffer = vec![0; BUFFER];
    while bytes > 0 {
        let got = stream.read(&mut buffer[..bytes.min(BUFFER)])?;
        if got == 0 {
            return Err(Error::other("ended too early"));
        }
        bytes -= got;
    }
    stream.write_all(&[0])
}

fn serve() -> Result<()> {
    for stream in TcpListener::bind(("::", PORT))?.incoming() {
        let mut stream = stream?;
        stream.set_nodelay(true)?;
        let mut request = [0; 9];
        stream.read_exact(&mut request)?;
        let [kind, bytes @ ..] = request;
        let bytes = usize::from_le_bytes(bytes);
        match kind {
            b'a' => echo(&mut stream)?,
            b's' => pull(&mut stream, bytes)?,
            _ => push(&mut stream, bytes)?,
        }
    }
    Ok(())
}

fn request(kind: u8, address: &str, count: &str) -> Result<()> {
    let count: usize = count.parse().map_err(Error::other)?;
    let bytes = count << 10;
    let mut stream = TcpStream::connect((address, PORT))?;
    stream.set_nodelay(true)?;
    let mut request = [kind; 9];
    request[1..].copy_from_slice(&bytes.to_le_bytes());
    stream.write_all(&request)?;
    match kind {
        b'a' => {
            let mut byte = [0];
            for _ in 0..count {
                stream.write_all(&byte)?;
                stream.read_exact(&mut byte)?;
            }
            Ok(())
        }
        b's' => push(&mut stream, bytes),
        _ => pull(&mut stream, bytes),
    }
}

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["mark", which] => mark(which),
        ["serve"] => serve(),
        ["ask", address, count] => request(b'a', address, count),
        ["send", address, count] => request(b's', address, count),
        ["fetch", address, count] => request(b'f', address, count),
        _ => Err(Error::other("bench mark|serve|ask|send|fetch")),
    }
}

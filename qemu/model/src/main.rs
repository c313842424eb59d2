// SPDX-License-Identifier: GPL-2.0

//! A model of Intel's 82574L and 82579LM network controllers, as a device of QEMU's by vfio-user.
//!
//! Made from the datasheet, not from a driver and not from QEMU's own model, and able to fail as
//! boards have failed. docs/model.md tells what is modelled and how to make it fail.
//!
//! Reading order: `regs`, `config`; the units `interrupts`, `mdio`, `phy`, `nvm`, `flash`, `rx`,
//! `tx`, `statistics`, `clock`; `faults`; `chip`; `device`, which binds them together; `engine`,
//! `server` and `control`, which are no part of the hardware.

mod chip;
mod clock;
mod config;
mod control;
mod device;
mod engine;
mod faults;
mod flash;
mod frame;
mod interrupts;
mod lines;
mod manage;
mod mdio;
mod memory;
mod nvm;
mod phy;
mod regs;
mod rx;
mod server;
mod stamps;
mod statistics;
mod tx;

use std::collections::BTreeMap;
use std::error::Error;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use chip::{i82574::I82574, i82579::I82579, Chip, Options};
use device::Device;
use engine::{Shared, Wire};

const USAGE: &str = "usage: e1000e-model --socket PATH [--chip 82574L|82579LM] [--mac MAC]
    [--vectors 5|3] [--net LOCAL,REMOTE] [--control PATH] [--link up|down]
    [--negotiation MILLISECONDS] [--trace on]

  --socket       where QEMU's vfio-user-pci connects
  --chip         which controller (82574L)
  --mac          station address (02:00:00:00:00:01)
  --vectors      MSI-X vectors of the 82574L (5)
  --net          the wire: two unix datagram sockets, a frame a datagram, as QEMU's -netdev dgram
  --control      where a JSON object a line is taken: see docs/model.md
  --link         whether the cable is plugged in (up)
  --negotiation  how long the PHY takes to bring the link up (300)
  --trace        tell every access to a register on the standard error output";

struct Arguments {
    chip: &'static dyn Chip,
    options: Options,
    socket: PathBuf,
    net: Option<(PathBuf, PathBuf)>,
    control: Option<PathBuf>,
    link: bool,
    negotiation: Duration,
    trace: bool,
}

fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let bytes: Vec<u8> = text
        .split(':')
        .map(|byte| u8::from_str_radix(byte, 16).ok())
        .collect::<Option<_>>()?;
    bytes.try_into().ok()
}

fn parse(arguments: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut given = BTreeMap::new();
    let mut arguments = arguments.peekable();
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("{name}: no value"))?;
        given.insert(name, value);
    }
    let mut take = |name: &str| given.remove(name);
    let wrong = |name: &str, value: &str| format!("{name} {value}: not known");
    let chip: &'static dyn Chip = match take("--chip").as_deref() {
        None | Some("82574L") => &I82574,
        Some("82579LM") => &I82579,
        Some(other) => return Err(wrong("--chip", other)),
    };
    let mac = take("--mac").unwrap_or_else(|| "02:00:00:00:00:01".into());
    let vectors = match take("--vectors").as_deref() {
        None | Some("5") => 5,
        Some("3") => 3,
        Some(other) => return Err(wrong("--vectors", other)),
    };
    let net = match take("--net") {
        None => None,
        Some(paths) => {
            let (local, remote) = paths
                .split_once(',')
                .ok_or_else(|| wrong("--net", &paths))?;
            Some((local.into(), remote.into()))
        }
    };
    let link = match take("--link").as_deref() {
        None | Some("up") => true,
        Some("down") => false,
        Some(other) => return Err(wrong("--link", other)),
    };
    let negotiation = match take("--negotiation") {
        None => 300,
        Some(text) => text.parse().map_err(|_| wrong("--negotiation", &text))?,
    };
    let trace = match take("--trace").as_deref() {
        None | Some("off") => false,
        Some("on") => true,
        Some(other) => return Err(wrong("--trace", other)),
    };
    let parsed = Arguments {
        trace,
        chip,
        options: Options {
            mac: parse_mac(&mac).ok_or_else(|| wrong("--mac", &mac))?,
            vectors,
        },
        socket: take("--socket").ok_or("--socket is missing")?.into(),
        net,
        control: take("--control").map(PathBuf::from),
        link,
        negotiation: Duration::from_millis(negotiation),
    };
    match given.keys().next() {
        Some(name) => Err(format!("{name}: no such option")),
        None => Ok(parsed),
    }
}

/// Binds a socket's path as a new one.
fn fresh(path: &Path) -> &Path {
    // What is not there need not go; what cannot go is told of by bind.
    let _ = std::fs::remove_file(path);
    path
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let now = Instant::now();
    let msix = arguments.chip.msix(&arguments.options);
    let mut device = Device::new(
        arguments.chip,
        arguments.options,
        arguments.negotiation,
        now,
    );
    device.phy.set_cable(arguments.link, now);
    let (events, receiver) = sync_channel(engine::BACKLOG);
    let shared = Shared::new(device, events);

    let mut wire = None;
    if let Some((local, remote)) = arguments.net {
        let socket = UnixDatagram::bind(fresh(&local))?;
        socket.set_write_timeout(Some(Duration::from_millis(20)))?;
        let (listener, listening) = (socket.try_clone()?, shared.clone());
        thread::spawn(move || engine::listen(&listener, &listening));
        wire = Some(Wire { socket, remote });
    }
    if let Some(path) = arguments.control {
        let listener = UnixListener::bind(fresh(&path))?;
        let controlled = shared.clone();
        thread::spawn(move || control::serve(&listener, &controlled));
    }
    let server = server::bind(fresh(&arguments.socket), &shared, msix)?;
    let running = shared.clone();
    thread::spawn(move || engine::run(&running, &receiver, wire.as_ref()));
    let trace = arguments.trace;
    server.run(&mut server::Backend { shared, trace })?;
    Ok(())
}

fn main() -> ExitCode {
    let arguments = match parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("e1000e-model: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("e1000e-model: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<Arguments, String> {
        parse(words.split_whitespace().map(String::from))
    }

    #[test]
    fn arguments() {
        let good = parsed("--socket s --chip 82579LM --mac 02:00:00:00:00:0a --net a,b").unwrap();
        assert_eq!(good.chip.name(), "82579LM");
        assert_eq!(good.options.mac[5], 10);
        assert_eq!(good.net, Some(("a".into(), "b".into())));
        for bad in [
            "",
            "--socket",
            "--socket s --chip x",
            "--socket s --speed 3",
        ] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }
}

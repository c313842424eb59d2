// SPDX-License-Identifier: GPL-2.0

//! The control socket: a JSON object a line, answered by a line. See docs/model.md.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Instant;

use serde::Deserialize;
use serde_json::{json, Value};

use crate::device::Device;
use crate::engine::Shared;
use crate::faults::Faults;
use crate::phy::Partner;
use crate::regs;

/// A number, or a string with one in hexadecimal.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(u32),
    Text(String),
}

impl Number {
    fn value(&self) -> Result<u32, String> {
        match self {
            Self::Plain(value) => Ok(*value),
            Self::Text(text) => u32::from_str_radix(text.trim_start_matches("0x"), 16)
                .map_err(|error| format!("{text}: {error}")),
        }
    }
}

/// Whose register.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Unit {
    #[default]
    Mac,
    Phy,
    /// 82579: the PHY's indirect registers.
    Emi,
    /// 82579: the interconnect between MAC and PHY.
    Kmrn,
}

#[derive(Deserialize)]
#[serde(tag = "cmd", rename_all = "kebab-case", deny_unknown_fields)]
enum Request {
    /// What the device is about.
    Status,
    /// Sets one fault, or all back to none.
    Fault {
        name: String,
        value: Value,
    },
    Clear,
    /// The cable, and what the other end can do.
    Link {
        up: Option<bool>,
        speed: Option<u16>,
        full: Option<bool>,
    },
    /// A register behind the driver's back.
    Peek {
        #[serde(default)]
        of: Unit,
        #[serde(default)]
        page: u16,
        register: Number,
    },
    Poke {
        register: Number,
        value: Number,
    },
    /// Power off and on.
    PowerCycle,
    /// A management controller that shares the port.
    Bmc {
        on: bool,
    },
    /// Sets interrupt causes, as `ICS` does.
    Raise {
        causes: Number,
    },
}

/// Serves one caller after the other.
pub fn serve(listener: &UnixListener, shared: &Shared) {
    for stream in listener.incoming().flatten() {
        let shared = shared.clone();
        std::thread::spawn(move || {
            // Who hangs up early does not want the answer.
            let _ = converse(&stream, &shared);
        });
    }
}

fn converse(stream: &UnixStream, shared: &Shared) -> std::io::Result<()> {
    let mut out = stream;
    for line in BufReader::new(stream).lines() {
        let answer = match answer(&line?, shared) {
            Ok(mut answer) => {
                answer["ok"] = true.into();
                answer
            }
            Err(error) => json!({"ok": false, "error": error}),
        };
        writeln!(out, "{answer}")?;
    }
    Ok(())
}

fn answer(line: &str, shared: &Shared) -> Result<Value, String> {
    let request: Request = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let now = Instant::now();
    let mut device = shared.device();
    let result = match request {
        Request::Status => status(&device),
        Request::Fault { name, value } => set(&mut device.faults, &name, value)?,
        Request::Clear => {
            let aspm = device.faults.aspm.death;
            device.faults = Faults::default();
            device.faults.aspm.death = aspm;
            json!({})
        }
        Request::Link { up, speed, full } => {
            let partner = Partner {
                speed: speed.unwrap_or(device.phy.partner.speed),
                full: full.unwrap_or(device.phy.partner.full),
            };
            device.phy.partner = partner;
            if let Some(up) = up {
                device.phy.set_cable(up, now);
            }
            json!({})
        }
        Request::Peek { of, page, register } => {
            let register = register.value()?;
            let value = peek(&mut device, of, page, register)
                .ok_or_else(|| format!("{register:#x} cannot be looked at"))?;
            json!({"value": value, "hex": format!("{value:#010x}")})
        }
        Request::Poke { register, value } => {
            poke(&mut device, register.value()?, value.value()?, now);
            json!({})
        }
        Request::PowerCycle => {
            device.power_on(now);
            json!({})
        }
        Request::Bmc { on } => {
            device.set_bmc(on);
            json!({})
        }
        Request::Raise { causes } => {
            device.interrupts.raise(causes.value()?);
            json!({})
        }
    };
    drop(device);
    shared.kick();
    Ok(result)
}

fn peek(device: &mut Device, unit: Unit, page: u16, register: u32) -> Option<u32> {
    match unit {
        Unit::Mac => device.peek(register),
        Unit::Phy => device
            .phy
            .peek(page, register.try_into().ok()?)
            .map(u32::from),
        Unit::Emi => device
            .phy
            .peek_emi(register.try_into().ok()?)
            .map(u32::from),
        Unit::Kmrn => device.peek_kmrn(register.try_into().ok()?).map(u32::from),
    }
}

fn poke(device: &mut Device, register: u32, value: u32, now: Instant) {
    match register {
        regs::FWSM => device.fwsm = value,
        regs::IVAR => device.interrupts.ivar = value,
        _ => device.write(register, value, now),
    }
}

/// Replaces one member of the faults; what that name does not have is an error.
fn set(faults: &mut Faults, name: &str, value: Value) -> Result<Value, String> {
    let (aspm, me) = (faults.aspm, faults.me);
    let mut all = serde_json::to_value(*faults).map_err(|error| error.to_string())?;
    if all.get(name).is_none() {
        return Err(format!("no fault is called {name}"));
    }
    all[name] = value;
    *faults = serde_json::from_value(all).map_err(|error| format!("{name}: {error}"))?;
    if name != "aspm" {
        faults.aspm = aspm;
    }
    if name != "me" {
        faults.me = me;
    }
    Ok(json!({}))
}

fn status(device: &Device) -> Value {
    json!({
        "chip": device.chip.name(),
        "cable": device.phy.cable(),
        "link": device.link().map(|link| json!({"speed": link.speed, "full": link.full})),
        "aspm": device.config.aspm(),
        "death": device.faults.aspm.death,
        "faults": device.faults,
        "ivar": format!("{:#010x}", device.interrupts.ivar),
        "icr": format!("{:#010x}", device.interrupts.icr),
        "ims": format!("{:#010x}", device.interrupts.ims),
        "sent": device.lines.sent,
        "lost": device.interrupts.lost,
        "withheld": device.lines.withheld,
        "resets": device.resets,
        "me": {"taken": device.faults.me.taken, "disturbed": device.faults.me.disturbed},
        "bmc": {"received": device.bmc.received, "sent": device.bmc.sent},
        "dma_errors": device.memory.errors,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_by_name() {
        let mut faults = Faults::default();
        set(&mut faults, "mdic", json!({"mode": "error", "count": 3})).unwrap();
        assert_eq!(faults.mdic.count, 3);
        set(&mut faults, "tx_hang", json!(true)).unwrap();
        assert!(faults.tx_hang && faults.mdic.count == 3);
        assert!(set(&mut faults, "mdix", json!({})).is_err());
        assert!(set(&mut faults, "mdic", json!({"mood": "error"})).is_err());
        assert_eq!(faults.mdic.count, 3);
    }
}

// SPDX-License-Identifier: GPL-2.0

//! Threads: one serves QEMU (`server`), one listens to the wire, one to the control socket, and
//! one, here, does what the device does of its own accord.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::device::Device;

/// Frames that wait for the engine: what is more is lost, as in a switch.
pub const BACKLOG: usize = 1024;

/// Longest sleep: faults are looked at by then.
const NAP: Duration = Duration::from_millis(100);

/// Largest frame that the wire carries.
const LARGEST: usize = 64 * 1024;

/// What the engine waits for.
pub enum Event {
    Kick,
    Frame(Vec<u8>),
}

/// The device as all threads have it.
#[derive(Clone)]
pub struct Shared {
    device: Arc<Mutex<Device>>,
    events: SyncSender<Event>,
}

impl Shared {
    pub fn new(device: Device, events: SyncSender<Event>) -> Self {
        Self {
            device: Arc::new(Mutex::new(device)),
            events,
        }
    }

    pub fn device(&self) -> MutexGuard<'_, Device> {
        // A thread that died leaves a device that is no worse than hardware.
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something has changed that the engine is to look at. If it has much to do, it will.
    pub fn kick(&self) {
        let _ = self.events.try_send(Event::Kick);
    }
}

/// Takes frames from the wire.
pub fn listen(socket: &UnixDatagram, shared: &Shared) {
    let mut buffer = vec![0; LARGEST];
    while let Ok(length) = socket.recv(&mut buffer) {
        let frame = buffer[..length].to_vec();
        let _ = shared.events.try_send(Event::Frame(frame));
    }
}

/// The other end of the wire.
pub struct Wire {
    pub socket: UnixDatagram,
    pub remote: PathBuf,
}

impl Wire {
    fn send(&self, frame: &[u8]) {
        // Nobody there, or too slow: the frame is lost.
        let _ = self.socket.send_to(frame, &self.remote);
    }
}

/// Runs until all other threads have ended.
pub fn run(shared: &Shared, events: &Receiver<Event>, wire: Option<&Wire>) {
    let mut wait = Duration::ZERO;
    loop {
        let mut frames = vec![];
        match events.recv_timeout(wait) {
            Ok(Event::Frame(frame)) => frames.push(frame),
            Ok(Event::Kick) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while frames.len() < 64 {
            match events.try_recv() {
                Ok(Event::Frame(frame)) => frames.push(frame),
                Ok(Event::Kick) => {}
                Err(_) => break,
            }
        }
        let now = Instant::now();
        let mut device = shared.device();
        for frame in frames {
            device.receive(frame, now);
        }
        let outcome = device.tick(now);
        drop(device);
        if let Some(wire) = wire {
            for frame in &outcome.frames {
                wire.send(frame);
            }
        }
        wait = if outcome.more {
            Duration::ZERO
        } else {
            outcome
                .next
                .map_or(NAP, |next| next.saturating_duration_since(Instant::now()))
                .min(NAP)
        };
    }
}

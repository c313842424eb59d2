// SPDX-License-Identifier: GPL-2.0

//! The device as QEMU sees it through vfio-user.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Instant;

use vfio_bindings::bindings::vfio::{
    vfio_region_info,
    VFIO_IRQ_INFO_AUTOMASKED,
    VFIO_IRQ_INFO_EVENTFD,
    VFIO_IRQ_INFO_MASKABLE,
    VFIO_IRQ_INFO_NORESIZE,
    VFIO_IRQ_SET_ACTION_TRIGGER,
    VFIO_IRQ_SET_ACTION_UNMASK,
    VFIO_IRQ_SET_DATA_EVENTFD,
    VFIO_PCI_CONFIG_REGION_INDEX,
    VFIO_PCI_NUM_IRQS,
    VFIO_PCI_NUM_REGIONS,
    VFIO_REGION_INFO_FLAG_READ,
    VFIO_REGION_INFO_FLAG_WRITE, //
};
use vfio_user::{
    DmaMapFlags,
    DmaUnmapFlags,
    IrqInfo,
    Server,
    ServerBackend,
    ServerRegion, //
};

use crate::engine::Shared;
use crate::interrupts::{Mode, Signal};
use crate::lines;

/// The socket, bound; QEMU may connect from now on.
pub fn bind(path: &Path, shared: &Shared, msix: u16) -> Result<Server, vfio_user::Error> {
    let device = shared.device();
    let sizes = device.chip.regions();
    let config = device.config.size() as u64;
    let regions = (0..VFIO_PCI_NUM_REGIONS)
        .map(|index| {
            let size = match index {
                VFIO_PCI_CONFIG_REGION_INDEX => config,
                _ => sizes.get(index as usize).copied().unwrap_or(0),
            };
            ServerRegion {
                region_info: vfio_region_info {
                    argsz: std::mem::size_of::<vfio_region_info>() as u32,
                    flags: if size > 0 {
                        VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE
                    } else {
                        0
                    },
                    index,
                    size,
                    ..Default::default()
                },
                sparse_areas: vec![],
                mmap_fd: None,
            }
        })
        .collect();
    let irqs = (0..VFIO_PCI_NUM_IRQS)
        .map(|index| IrqInfo {
            index,
            flags: match index {
                lines::INTX => {
                    VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED
                }
                lines::MSI | lines::MSIX => VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE,
                _ => 0,
            },
            count: match index {
                lines::INTX | lines::MSI => 1,
                lines::MSIX => msix.into(),
                _ => 0,
            },
        })
        .collect();
    drop(device);
    Server::new(path, true, irqs, regions)
}

/// What QEMU asks for.
pub struct Backend {
    pub shared: Shared,
    /// Whether to tell every access.
    pub trace: bool,
}

impl Backend {
    fn tell(&self, what: &str, region: u32, offset: u64, data: &[u8]) {
        if self.trace {
            // As it lies in memory: the lowest byte first.
            eprintln!("{what} {region} {offset:#07x} {data:02x?}");
        }
    }
}

/// Aligned dwords that cover `length` bytes at `offset`.
fn dwords(offset: u64, length: usize) -> impl Iterator<Item = u32> {
    let first = (offset & !3) as u32;
    let end = offset as u32 + length as u32;
    (first..end).step_by(4)
}

impl ServerBackend for Backend {
    fn region_read(&mut self, region: u32, offset: u64, data: &mut [u8]) -> io::Result<()> {
        let now = Instant::now();
        let mut device = self.shared.device();
        match region {
            0 => {
                let mut bytes = vec![];
                for register in dwords(offset, data.len()) {
                    bytes.extend(device.read(register, now).to_le_bytes());
                }
                let start = (offset & 3) as usize;
                data.copy_from_slice(&bytes[start..start + data.len()]);
                // Reading ICR makes room for the next interrupt.
                device.signal(now);
            }
            1 => {
                let value = device.read_flash(offset as u32, data.len()).to_le_bytes();
                for (index, byte) in data.iter_mut().enumerate() {
                    *byte = value.get(index).copied().unwrap_or(0xff);
                }
            }
            VFIO_PCI_CONFIG_REGION_INDEX => device.config.read(offset as usize, data),
            _ => data.fill(0),
        }
        self.tell("read", region, offset, data);
        Ok(())
    }

    fn region_write(&mut self, region: u32, offset: u64, data: &[u8]) -> io::Result<()> {
        self.tell("write", region, offset, data);
        let now = Instant::now();
        let mut device = self.shared.device();
        let mut word = [0; 4];
        for (to, from) in word.iter_mut().zip(data) {
            *to = *from;
        }
        match region {
            // Narrower writes are not for registers (10.1.1.1).
            0 => {
                for (register, bytes) in dwords(offset, data.len()).zip(data.chunks_exact(4)) {
                    word.copy_from_slice(bytes);
                    device.write(register, u32::from_le_bytes(word), now);
                }
                device.signal(now);
            }
            1 => device.write_flash(offset as u32, data.len(), u32::from_le_bytes(word)),
            VFIO_PCI_CONFIG_REGION_INDEX => device.write_config(offset as usize, data, now),
            _ => {}
        }
        drop(device);
        self.shared.kick();
        Ok(())
    }

    fn dma_map(
        &mut self,
        _: DmaMapFlags,
        offset: u64,
        address: u64,
        size: u64,
        file: Option<File>,
    ) -> io::Result<()> {
        match file {
            Some(file) => self.shared.device().memory.map(address, size, offset, file),
            None => Ok(()), // nothing that could be shared, such as a ROM
        }
    }

    fn dma_unmap(&mut self, _: DmaUnmapFlags, address: u64, size: u64) -> io::Result<()> {
        self.shared.device().memory.unmap(address, size);
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        self.shared.device().power_on(Instant::now());
        Ok(())
    }

    fn set_irqs(
        &mut self,
        index: u32,
        flags: u32,
        start: u32,
        count: u32,
        files: Vec<File>,
    ) -> io::Result<()> {
        let mut device = self.shared.device();
        let (start, count) = (start as usize, count as usize);
        if flags & VFIO_IRQ_SET_ACTION_TRIGGER != 0 {
            if flags & VFIO_IRQ_SET_DATA_EVENTFD != 0 || count == 0 {
                device.lines.set(index, start, count, files);
            } else {
                for vector in start..start + count {
                    device.lines.trigger(index, vector);
                }
            }
        } else if flags & VFIO_IRQ_SET_ACTION_UNMASK != 0 && index == lines::INTX {
            device.lines.unmask();
            if device.interrupts.mode == Mode::Intx && device.interrupts.level() {
                let mut fault = device.faults.messages;
                device.lines.send(Signal::Intx, &mut fault);
                device.faults.messages = fault;
            }
        }
        drop(device);
        self.shared.kick();
        Ok(())
    }
}

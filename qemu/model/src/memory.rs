// SPDX-License-Identifier: GPL-2.0

//! The guest's memory, as the device reaches it.

use std::fs::File;
use std::io;
use std::sync::atomic::{fence, Ordering};

use vm_memory::{
    Bytes,
    FileOffset,
    GuestAddress,
    GuestMemoryMmap,
    GuestRegionMmap,
    MmapRegion, //
};

/// Shared memory that QEMU has told of, by bus address.
#[derive(Default)]
pub struct Memory {
    parts: Vec<(u64, u64, GuestMemoryMmap)>,
    /// Command register, bus master enable.
    pub bus_master: bool,
    /// Accesses that failed: memory that is not there, or no bus master.
    pub errors: u64,
}

/// The bus did not take it.
#[derive(Debug, PartialEq, Eq)]
pub struct DmaError;

impl Memory {
    /// QEMU maps `size` bytes at `address` from `offset` of `file`.
    pub fn map(&mut self, address: u64, size: u64, offset: u64, file: File) -> io::Result<()> {
        self.unmap(address, size);
        let length = usize::try_from(size).map_err(io::Error::other)?;
        let region = MmapRegion::from_file(FileOffset::new(file, offset), length)
            .map_err(io::Error::other)?;
        let region = GuestRegionMmap::new(region, GuestAddress(address))
            .ok_or_else(|| io::Error::other("the region wraps round"))?;
        let map = GuestMemoryMmap::from_regions(vec![region]).map_err(io::Error::other)?;
        self.parts.push((address, size, map));
        Ok(())
    }

    /// QEMU takes back what lies in there.
    pub fn unmap(&mut self, address: u64, size: u64) {
        let end = address.saturating_add(size);
        self.parts
            .retain(|(start, length, _)| *start >= end || start.saturating_add(*length) <= address);
    }

    fn part(&mut self, address: u64, length: usize) -> Result<&GuestMemoryMmap, DmaError> {
        let end = address.checked_add(length as u64).ok_or(DmaError)?;
        let found = self
            .parts
            .iter()
            .position(|(start, size, _)| address >= *start && end <= start.saturating_add(*size));
        match found {
            Some(index) if self.bus_master => Ok(&self.parts[index].2),
            _ => {
                self.errors += 1;
                Err(DmaError)
            }
        }
    }

    /// Reads from the guest.
    pub fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), DmaError> {
        self.part(address, data.len())?
            .read_slice(data, GuestAddress(address))
            .map_err(|_| DmaError)
    }

    /// Writes to the guest.
    pub fn write(&mut self, address: u64, data: &[u8]) -> Result<(), DmaError> {
        self.part(address, data.len())?
            .write_slice(data, GuestAddress(address))
            .map_err(|_| DmaError)
    }

    /// Writes a descriptor so that the dword at `last`, which says that it is done, comes last.
    pub fn write_descriptor(
        &mut self,
        address: u64,
        data: &[u8],
        last: usize,
    ) -> Result<(), DmaError> {
        self.write(address, &data[..last])?;
        self.write(address + last as u64 + 4, &data[last + 4..])?;
        let mut word = [0; 4];
        word.copy_from_slice(&data[last..last + 4]);
        fence(Ordering::SeqCst);
        self.part(address, data.len())?
            .store(
                u32::from_ne_bytes(word),
                GuestAddress(address + last as u64),
                Ordering::Release,
            )
            .map_err(|_| DmaError)
    }
}

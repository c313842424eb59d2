// SPDX-License-Identifier: GPL-2.0

//! The 82579's NVM: the GbE region of the chipset's flash, behind the registers in BAR 1 (chipset
//! datasheet, "Gigabit LAN SPI flash program registers"): two banks, each with a copy.

use crate::faults::Nvm as Fault;
use crate::nvm::SUM;

const GFPREG: u32 = 0x00;
const HSFS: u32 = 0x04;
const HSFC: u32 = 0x06;
const FADDR: u32 = 0x08;
const FDATA0: u32 = 0x10;

const SECTOR: usize = 4096;
/// First sector of the region; each bank is one sector.
const BASE: usize = 1;
const BANK: usize = SECTOR;

mod hsfs {
    pub const DONE: u16 = 1 << 0;
    pub const ERROR: u16 = 1 << 1;
    pub const ERASE_4K: u16 = 1 << 3;
    pub const VALID: u16 = 1 << 14;
}

/// The unit.
pub struct Flash {
    /// Both banks.
    bytes: Vec<u8>,
    status: u16,
    control: u16,
    address: u32,
    data: u32,
}

impl Flash {
    /// A region with a station address, bank 0 valid, bank 1 erased.
    pub fn new(mac: [u8; 6], device: u16) -> Self {
        let mut words = vec![0xffffu16; BANK / 2];
        for (word, pair) in words.iter_mut().zip(mac.chunks_exact(2)) {
            *word = u16::from_le_bytes([pair[0], pair[1]]);
        }
        // Configuration of the PHY: value and register, by turns; first the page, 769.
        words[0x80..0x84].copy_from_slice(&[769 << 5, 31, 0x1234, 24]);
        words[0x03] = 0x0800; // compatibility: on the board
        words[0x05] = 0x0013; // image version
        words[0x08] = 0x1234;
        words[0x09] = 0x5602;
        words[0x0a] = 0x10c3;
        words[0x0b] = 0x0000;
        words[0x0c] = 0x8086;
        words[0x0d] = device;
        words[0x0f] = 0x0000;
        words[0x13] = 0xa000; // shared init control: bits 15:14 10b say that the bank is valid
        words[0x18] = 0x0100;
        words[0x19] = 0x0040; // the checksum is valid
        words[0x1a] = 0x0043; // APM enable
        let sum = words[..0x3f]
            .iter()
            .fold(0u16, |sum, word| sum.wrapping_add(*word));
        words[0x3f] = SUM.wrapping_sub(sum);
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.resize(2 * BANK, 0xff);
        Self {
            bytes,
            status: hsfs::VALID | hsfs::ERASE_4K,
            control: 0,
            address: 0,
            data: 0,
        }
    }

    pub fn read(&self, offset: u32, length: usize) -> u32 {
        let value = match offset & !3 {
            GFPREG => (BASE + 1) << 16 | BASE,
            HSFS => usize::from(self.status) | usize::from(self.control) << 16,
            FADDR => self.address as usize,
            FDATA0 => self.data as usize,
            _ => 0,
        } as u32;
        let value = value >> (8 * (offset & 3));
        match length {
            1 => value & 0xff,
            2 => value & 0xffff,
            _ => value,
        }
    }

    pub fn write(&mut self, offset: u32, length: usize, value: u32, fault: &mut Fault) {
        match (offset, length) {
            (HSFS, 4) => {
                self.clear_status(value as u16);
                self.write_control((value >> 16) as u16, fault);
            }
            (HSFS, _) => self.clear_status(value as u16),
            (HSFC, _) => self.write_control(value as u16, fault),
            (FADDR, _) => self.address = value & 0x01ff_ffff,
            (FDATA0, _) => self.data = value,
            _ => {}
        }
    }

    fn clear_status(&mut self, value: u16) {
        self.status &= !(value & 0x7);
    }

    fn write_control(&mut self, value: u16, fault: &mut Fault) {
        self.control = value & !1;
        if value & 1 == 0 {
            return;
        }
        let count = usize::from(value >> 8 & 0x3f) + 1;
        let done = self.cycle(value >> 1 & 3, count, fault);
        self.status |= hsfs::DONE | if done.is_none() { hsfs::ERROR } else { 0 };
    }

    fn cycle(&mut self, kind: u16, count: usize, fault: &mut Fault) -> Option<()> {
        let start = (self.address as usize).checked_sub(BASE * SECTOR)?;
        match kind {
            0 => {
                let mut bytes = [0; 4];
                let part = self.bytes.get(start..start + count)?;
                bytes.get_mut(..count)?.copy_from_slice(part);
                self.data = u32::from_le_bytes(bytes);
                // The checksum's word of either bank.
                let word = start % BANK / 2;
                if (word..word + count.div_ceil(2)).contains(&0x3f) && fault.take() {
                    self.data ^= 1 << (16 * (0x3f - word));
                }
            }
            // Writing clears bits, erasing sets those of a sector.
            2 => {
                let bytes = self.data.to_le_bytes();
                let part = self.bytes.get_mut(start..start + count)?;
                for (old, new) in part.iter_mut().zip(bytes.get(..count)?) {
                    *old &= new;
                }
            }
            3 => {
                let sector = start / SECTOR * SECTOR;
                self.bytes.get_mut(sector..sector + SECTOR)?.fill(0xff);
            }
            _ => return None,
        }
        Some(())
    }

    /// The station address of the valid bank.
    pub fn mac(&self) -> [u8; 6] {
        let valid = |bank: usize| self.bytes[bank * BANK + 0x27] & 0xc0 == 0x80;
        let start = if !valid(0) && valid(1) { BANK } else { 0 };
        let mut mac = [0; 6];
        mac.copy_from_slice(&self.bytes[start..start + 6]);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(flash: &mut Flash, number: u32) -> u16 {
        let none = &mut Fault::default();
        flash.write(HSFS, 2, 7, none);
        flash.write(FADDR, 4, (BASE * SECTOR) as u32 + 2 * number, none);
        flash.write(HSFC, 2, 1 << 8 | 1, none);
        assert_eq!(flash.read(HSFS, 2) & 3, 1);
        flash.read(FDATA0, 4) as u16
    }

    #[test]
    fn words_add_up() {
        let mut flash = Flash::new([2, 0, 0, 0, 0, 1], 0x1502);
        let sum = (0..0x40)
            .map(|number| word(&mut flash, number))
            .fold(0, u16::wrapping_add);
        assert_eq!(sum, SUM);
        assert_eq!(word(&mut flash, 0x13) & 0xc000, 0x8000);
    }

    #[test]
    fn outside_of_the_region_is_an_error() {
        let mut flash = Flash::new([0; 6], 0x1502);
        flash.write(FADDR, 4, 0, &mut Fault::default());
        flash.write(HSFC, 2, 1, &mut Fault::default());
        assert_ne!(flash.read(HSFS, 2) & 2, 0);
    }

    #[test]
    fn erase_and_write() {
        let mut flash = Flash::new([0; 6], 0x1502);
        let none = &mut Fault::default();
        let address = ((BASE + 1) * SECTOR) as u32 + 8;
        flash.write(FADDR, 4, address, none);
        flash.write(FDATA0, 4, 0x12, none);
        flash.write(HSFC, 2, 2 << 1 | 1, none);
        assert_eq!(flash.bytes[BANK + 8], 0x12);
        flash.write(HSFC, 2, 3 << 1 | 1, none);
        assert_eq!(flash.bytes[BANK + 8], 0xff);
    }
}

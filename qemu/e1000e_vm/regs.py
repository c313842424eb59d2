# SPDX-License-Identifier: GPL-2.0
"""The 82574's registers as far as the tests look at them or break them."""

from dataclasses import dataclass

CTRL, CTRL_RST, CTRL_RFCE, CTRL_TFCE, CTRL_VME = 0x0000, 1 << 26, 1 << 27, 1 << 28, 1 << 30
CTRL_ADVD3WUC = 1 << 20
MDIC, BMCR_PDOWN = 0x0020, 1 << 11
MANC, MANC_KEEP_PHY_LINK_UP = 0x5820, 1 << 18
ITR, EITR = 0x00C4, 0x00E8
EECD, EEWR, LEDCTL, EXTCNF_CTRL = 0x0010, 0x102C, 0x0E00, 0x0F00
ICS = 0x00C8
IMC = 0x00D8
IVAR = 0x00E4
TCTL, TCTL_EN = 0x0400, 1 << 1
TDLEN0, TDLEN1 = 0x3808, 0x3908
RCTL, RCTL_EN, RCTL_SBP, RCTL_VFE = 0x0100, 1 << 1, 1 << 2, 1 << 18
MRQC, MRQC_TCP_IPV4 = 0x5818, 1 << 16
MRQC_RSS = 0x1F0001
RETA, RSSRK = 0x5C00, 0x5C80
RCTL_MPE = 1 << 4
RAL, RAH = 0x5400, 0x5404
CTRL_EXT, CTRL_EXT_DRV_LOAD = 0x0018, 1 << 28
MANC, MANC_RCV_TCO_EN, MANC_KEEP_PHY, MANC_EN_MNG2HOST = 0x5820, 1 << 17, 1 << 18, 1 << 21
MFVAL, MFUTP, MANC2H, MDEF, FACTPS = 0x5824, 0x5828, 0x5860, 0x5890, 0x5B30
MDEF_PORT_664, MDEF_PORT_623 = 1 << 10, 1 << 11
WUC, WUC_PME_EN, WUFC, WUS = 0x5800, 1 << 1, 0x5808, 0x5810
RDBAL, RDBAH, RDH = 0x2800, 0x2804, 0x2810
SYSTIML, SYSTIMH, TIMINCA = 0xB600, 0xB604, 0xB608
TIMADJL, TIMADJH = 0xB60C, 0xB610
TSYNCTXCTL, TXSTMPL, TXSTMPH = 0xB614, 0xB618, 0xB61C
TSYNCRXCTL, RXSTMPL, RXSTMPH, RXMTRL, RXUDP = 0xB620, 0xB624, 0xB628, 0xB634, 0xB638
TSYNC_VALID, TSYNC_EN = 1 << 0, 1 << 4

CAUSES = ["RXQ0", "RXQ1", "TXQ0", "TXQ1", "OTHER"]


@dataclass(frozen=True)
class Ivar:
    """The mapping of interrupt causes to vectors."""

    value: int

    def vector(self, cause: str) -> int | None:
        """The cause's vector, or None if its entry is not valid."""
        nibble = self.value >> 4 * CAUSES.index(cause) & 0xF
        return nibble & 7 if nibble & 8 else None

    def faults(self, vectors: int) -> list[str]:
        """What is wrong with the mapping when so many vectors are allocated."""
        found = []
        for cause in CAUSES:
            vector = self.vector(cause)
            if vector is None:
                found.append(f"{cause} is not valid")
            elif vector >= vectors:
                found.append(f"{cause} goes to vector {vector} of {vectors}")
        return found

    def without(self, cause: str) -> int:
        """The register's value with the cause's valid bit off."""
        return self.value & ~(8 << 4 * CAUSES.index(cause))

    def __str__(self) -> str:
        causes = ", ".join(f"{cause} -> {self.vector(cause)}" for cause in CAUSES)
        return f"{self.value:#010x} ({causes})"

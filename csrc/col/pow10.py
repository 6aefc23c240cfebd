"""Writes pow10.h, the powers of ten that text_double.c reads and prints with: python3 pow10.py > pow10.h"""
LOW, HIGH = -342, 324


def significand(n):
    """The first 128 bits of 10**n, cut."""
    if n >= 0:
        power, shift = 10 ** n, (10 ** n).bit_length() - 128
        return power >> shift if shift > 0 else power << -shift
    power = 10 ** -n
    return (1 << power.bit_length() + 127) // power


print("""/*
 * col/pow10.h - made by pow10.py: the first 128 bits of 10^n (high, low), cut, for n from PSI_POW10_LOW on.
 */
#ifndef PS_COL_POW10_H
#define PS_COL_POW10_H
#include <stdint.h>
""")
print(f"#define PSI_POW10_LOW ({LOW})\n#define PSI_POW10_HIGH {HIGH}")
print(f"static const uint64_t psi_pow10[{HIGH - LOW + 1}][2] = {{")
for n in range(LOW, HIGH + 1):
    bits = significand(n)
    assert bits >> 127 == 1 and bits & (1 << 64) - 1 < (1 << 64) - 1
    print(f"    {{0x{bits >> 64:016x}, 0x{bits & (1 << 64) - 1:016x}}},")
print("};\n#endif")

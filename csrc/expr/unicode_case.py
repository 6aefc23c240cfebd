"""Writes unicode_case.c: the case mappings of Unicode as ranges, from the tables of the Python that runs this.

    python csrc/expr/unicode_case.py > csrc/expr/unicode_case.c
"""
import sys
import unicodedata


def mappings(convert):
    single, several = {}, {}
    for code in range(0x110000):
        if 0xD800 <= code < 0xE000:
            continue
        mapped = convert(chr(code))
        if mapped == chr(code):
            continue
        if len(mapped) == 1:
            single[code] = ord(mapped) - code
        else:
            several[code] = mapped
    return single, several


def ranges(single):
    codes = sorted(single)
    out = []
    i = 0
    while i < len(codes):
        best = (1, 1)
        for step in (1, 2):
            n = 1
            while i + n < len(codes) and codes[i + n] == codes[i] + n * step and single[codes[i + n]] == single[codes[i]]:
                n += 1
            if n > best[0]:
                best = (n, step)
        out.append((codes[i], best[0], best[1], single[codes[i]]))
        i += best[0]
    return out


def print_ranges(name, table):
    print(f"const psi_case_range psi_{name}_ranges[] = {{")
    line = "   "
    for first, count, step, delta in table:
        item = f" {{0x{first:x}, {count}, {step}, {delta}}},"
        if len(line) + len(item) > 118:
            print(line)
            line = "   "
        line += item
    print(line)
    print("};")
    print(f"const int psi_n_{name}_ranges = {len(table)};\n")


def print_specials(name, several):
    print(f"const psi_case_special psi_{name}_specials[] = {{")
    line = "   "
    for code, text in sorted(several.items()):
        item = f" {{0x{code:x}, \"{''.join(f'{chr(92)}{byte:03o}' for byte in text.encode())}\"}},"
        if len(line) + len(item) > 118:
            print(line)
            line = "   "
        line += item
    print(line)
    print("};")
    print(f"const int psi_n_{name}_specials = {len(several)};\n")


def simple_title(char):
    """Character.toTitleCase: one character, itself when the full mapping has several."""
    mapped = char.title()
    return mapped if len(mapped) == 1 else char


def main():
    print("/* expr/unicode_case.c - case mappings of Unicode "
          f"{unicodedata.unidata_version}; written by unicode_case.py. */")
    print('#include "expr/text_case.h"\n')
    upper, upper_several = mappings(str.upper)
    lower, lower_several = mappings(str.lower)
    title, _ = mappings(simple_title)
    title = {code: delta for code, delta in title.items() if upper.get(code) != delta}
    simple = mappings(simple_title)[0]
    title.update({code: 0 for code in upper if code not in simple})
    print_ranges("upper", ranges(upper))
    print_ranges("lower", ranges(lower))
    print_ranges("title", ranges(title))
    print_specials("upper", upper_several)
    print_specials("lower", lower_several)


if __name__ == "__main__":
    sys.exit(main())

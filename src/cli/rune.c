#include "cli/rune.h"

/* The shortest forms only, no surrogates, nothing above RUNE_MAX: row i holds the least code point of i + 1 bytes. */
static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };

static size_t length_of(uint8_t first)
{
        return first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

size_t rune_next(const char *s, size_t n, uint32_t *ret)
{
        static const uint8_t masks[] = { 0x7f, 0x1f, 0x0f, 0x07 };
        size_t len = length_of((uint8_t)s[0]);
        uint32_t r;

        *ret = RUNE_ERROR;
        if (len == 0 || len > n)
                return 1;
        r = (uint8_t)s[0] & masks[len - 1];
        for (size_t i = 1; i < len; i++) {
                if (((uint8_t)s[i] & 0xc0) != 0x80)
                        return 1;
                r = r << 6 | ((uint8_t)s[i] & 0x3f);
        }
        if (r < least[len - 1] || r > RUNE_MAX || (r >= 0xd800 && r < 0xe000))
                return 1;
        *ret = r;
        return len;
}

size_t rune_count(const char *s, size_t n)
{
        size_t count = 0, i = 0;
        uint32_t r;

        for (; i < n; count++)
                i += (uint8_t)s[i] < 0x80 ? 1 : rune_next(s + i, n - i, &r);
        return count;
}

void rune_add(struct cor_text *out, uint32_t rune)
{
        if (rune > RUNE_MAX || (rune >= 0xd800 && rune < 0xe000))
                rune = RUNE_ERROR;
        if (rune < 0x80) {
                cor_text_add_c(out, (char)rune);
                return;
        }
        if (rune < 0x800) {
                cor_text_add_c(out, (char)(0xc0 | rune >> 6));
        } else {
                if (rune < 0x10000) {
                        cor_text_add_c(out, (char)(0xe0 | rune >> 12));
                } else {
                        cor_text_add_c(out, (char)(0xf0 | rune >> 18));
                        cor_text_add_c(out, (char)(0x80 | (rune >> 12 & 0x3f)));
                }
                cor_text_add_c(out, (char)(0x80 | (rune >> 6 & 0x3f)));
        }
        cor_text_add_c(out, (char)(0x80 | (rune & 0x3f)));
}

/* Ranges of letters: small ones from `first` to `last` have their capitals `distance` before them. */
static const struct {
        uint16_t first, last;
        uint8_t distance;
} letters[] = {
        { 'a', 'z', 32 },     { 0xe0, 0xf6, 32 },   { 0xf8, 0xfe, 32 },   { 0x3b1, 0x3c1, 32 },
        { 0x3c3, 0x3cb, 32 }, { 0x430, 0x44f, 32 }, { 0x450, 0x45f, 80 }, { 0x561, 0x586, 48 },
};

/* Capital and small letters in turn; the capital is even, or odd where `odd` says so. */
static const struct {
        uint16_t first, last;
        bool odd;
} pairs[] = {
        { 0x100, 0x12f, false }, { 0x132, 0x137, false },   { 0x139, 0x148, true },    { 0x14a, 0x177, false },
        { 0x179, 0x17e, true },  { 0x370, 0x373, false },   { 0x460, 0x481, false },   { 0x48a, 0x4bf, false },
        { 0x4d0, 0x52f, false }, { 0x1e00, 0x1e95, false }, { 0x1ea0, 0x1eff, false },
};

static bool in_pairs(uint32_t rune, bool *ret_small)
{
        for (size_t i = 0; i < COR_COUNT(pairs); i++)
                if (rune >= pairs[i].first && rune <= pairs[i].last) {
                        *ret_small = (rune & 1) != pairs[i].odd;
                        return true;
                }
        return false;
}

uint32_t rune_upper(uint32_t rune)
{
        bool small;

        for (size_t i = 0; i < COR_COUNT(letters); i++)
                if (rune >= letters[i].first && rune <= letters[i].last)
                        return rune - letters[i].distance;
        if (in_pairs(rune, &small))
                return small ? rune - 1 : rune;
        return rune == 0xff ? 0x178 : rune == 0x3c2 ? 0x3a3 : rune == 0xb5 ? 0x39c : rune == 0x131 ? 'I' : rune;
}

uint32_t rune_lower(uint32_t rune)
{
        bool small;

        for (size_t i = 0; i < COR_COUNT(letters); i++)
                if (rune >= (uint32_t)(letters[i].first - letters[i].distance) &&
                    rune <= (uint32_t)(letters[i].last - letters[i].distance))
                        return rune + letters[i].distance;
        if (in_pairs(rune, &small))
                return small ? rune : rune + 1;
        return rune == 0x178 ? 0xff : rune == 0x130 ? 'i' : rune;
}

bool rune_is_letter(uint32_t rune)
{
        if (rune < 0x80)
                return rune == '_' || (rune >= '0' && rune <= '9') || ((rune | 0x20) >= 'a' && (rune | 0x20) <= 'z');
        return rune != 0xfffd && rune_is_printable(rune) &&
               !(rune >= 0x80 && rune < 0xc0 && rune != 0xaa && rune != 0xb5 && rune != 0xba) && rune != 0xd7 &&
               rune != 0xf7 && !(rune >= 0x2000 && rune < 0x2070) && !(rune >= 0x20a0 && rune < 0x20d0) &&
               !(rune >= 0x2190 && rune < 0x2c00) && !(rune >= 0x3000 && rune < 0x3005);
}

bool rune_is_printable(uint32_t rune)
{
        if (rune < 0xa1)
                return rune >= 0x20 && rune < 0x7f;
        return rune != 0xad && !(rune >= 0x2000 && rune <= 0x200f) && !(rune >= 0x2028 && rune <= 0x202f) &&
               !(rune >= 0x205f && rune <= 0x206f) && rune != 0x3000 && rune != 0xfeff && rune != 0x1680 &&
               !(rune >= 0xd800 && rune < 0xf900) && !(rune >= 0xfff0 && rune <= 0xfffb) && (rune & 0xfffe) != 0xfffe &&
               rune < 0xe0000;
}

static void add_escaped(uint32_t rune, struct cor_text *out)
{
        static const char short_forms[] = "abtnvfr"; /* 7 to 13 */

        if (rune >= '\a' && rune <= '\r')
                cor_text_printf(out, "\\%c", short_forms[rune - '\a']);
        else if (rune < 0x80)
                cor_text_printf(out, "\\x%02x", rune);
        else
                cor_text_printf(out, rune < 0x10000 ? "\\u%04x" : "\\U%08x", rune);
}

void rune_quote(const char *s, size_t n, bool ascii, struct cor_text *out)
{
        uint32_t rune;

        cor_text_add_c(out, '"');
        for (size_t i = 0, len; i < n; i += len) {
                len = rune_next(s + i, n - i, &rune);
                if (rune == RUNE_ERROR && len == 1)
                        cor_text_printf(out, "\\x%02x", (uint8_t)s[i]);
                else if (rune == '"' || rune == '\\')
                        cor_text_printf(out, "\\%c", (char)rune);
                else if (rune_is_printable(rune) && (rune < 0x80 || !ascii))
                        cor_text_add_n(out, s + i, len);
                else
                        add_escaped(rune, out);
        }
        cor_text_add_c(out, '"');
}

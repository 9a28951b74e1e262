#include "registry/encode.h"
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *bytes, size_t n)
{
        const unsigned char *b = bytes;
        auto_text t = COR_TEXT_INIT;

        for (size_t i = 0; i < n; i += 3) {
                uint32_t group =
                        (uint32_t)b[i] << 16 | (i + 1 < n ? (uint32_t)b[i + 1] << 8 : 0) | (i + 2 < n ? b[i + 2] : 0);

                cor_text_add_c(&t, digits[group >> 18]);
                cor_text_add_c(&t, digits[group >> 12 & 63]);
                cor_text_add_c(&t, i + 1 < n ? digits[group >> 6 & 63] : '=');
                cor_text_add_c(&t, i + 2 < n ? digits[group & 63] : '=');
        }
        return cor_text_take(&t);
}

static int digit_of(char c)
{
        const char *at = c ? strchr(digits, c) : NULL;

        return at ? (int)(at - digits) : -1;
}

int base64_decode(const char *s, char **ret, size_t *ret_n)
{
        size_t len = strlen(s);
        auto_text t = COR_TEXT_INIT;
        uint32_t group = 0;
        unsigned bits = 0;

        while (len && s[len - 1] == '=' && strlen(s) - len < 2)
                len--;
        if (len % 4 == 1 || (len != strlen(s) && strlen(s) % 4 != 0))
                return -1;
        for (size_t i = 0; i < len; i++) {
                int d = digit_of(s[i]);

                if (d < 0)
                        return -1;
                group = group << 6 | (uint32_t)d;
                bits += 6;
                if (bits >= 8) {
                        bits -= 8;
                        cor_text_add_c(&t, (char)(group >> bits & 0xff));
                }
        }
        *ret_n = t.len;
        *ret = cor_text_take(&t);
        return 0;
}

void percent_add(struct cor_text *t, const char *s, const char *keep)
{
        for (; *s; s++) {
                unsigned char c = (unsigned char)*s;

                if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c) ||
                    strchr(keep, c))
                        cor_text_add_c(t, *s);
                else
                        cor_text_printf(t, "%%%02X", c);
        }
}

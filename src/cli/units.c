#include "cli/units.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void units_size(int64_t bytes, int digits, struct cor_text *out)
{
        static const char names[][3] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
        double size = (double)bytes;
        size_t i = 0;
        char number[32];

        for (; size >= 1000 && i + 1 < COR_COUNT(names); i++)
                size /= 1000;
        snprintf(number, sizeof number, "%.*g", digits, size);
        cor_text_printf(out, "%s%s", number, names[i]);
}

void units_binary(double bytes, struct cor_text *out)
{
        static const char names[][4] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
        size_t i = 0;

        for (; bytes >= 1024 && i + 1 < COR_COUNT(names); i++)
                bytes /= 1024;
        cor_text_printf(out, "%.4g%s", bytes, names[i]);
}

void units_duration(int64_t seconds, struct cor_text *out)
{
        int64_t minutes = seconds / 60, hours = (seconds + 1800) / 3600;

        if (seconds < 1)
                cor_text_add(out, "Less than a second");
        else if (seconds == 1)
                cor_text_add(out, "1 second");
        else if (seconds < 60)
                cor_text_printf(out, "%d seconds", (int)seconds);
        else if (minutes == 1)
                cor_text_add(out, "About a minute");
        else if (minutes < 60)
                cor_text_printf(out, "%d minutes", (int)minutes);
        else if (hours == 1)
                cor_text_add(out, "About an hour");
        else if (hours < 48)
                cor_text_printf(out, "%d hours", (int)hours);
        else if (hours < 24 * 7 * 2)
                cor_text_printf(out, "%d days", (int)(hours / 24));
        else if (hours < 24 * 30 * 2)
                cor_text_printf(out, "%d weeks", (int)(hours / 24 / 7));
        else if (hours < 24 * 365 * 2)
                cor_text_printf(out, "%d months", (int)(hours / 24 / 30));
        else
                cor_text_printf(out, "%lld years", (long long)(seconds / 3600 / 24 / 365));
}

void units_since(int64_t when, struct cor_text *out)
{
        units_duration((int64_t)time(NULL) - when, out);
        cor_text_add(out, " ago");
}

static bool broken_down(int64_t when, struct tm *ret)
{
        time_t t = (time_t)when;

        return localtime_r(&t, ret) != NULL;
}

void units_time(int64_t when, struct cor_text *out)
{
        char buf[80];
        struct tm tm;

        if (broken_down(when, &tm) && strftime(buf, sizeof buf, "%Y-%m-%d %H:%M:%S %z %Z", &tm) > 0)
                cor_text_add(out, buf);
}

void units_rfc3339(int64_t when, struct cor_text *out)
{
        char buf[80], zone[16];
        struct tm tm;

        if (!broken_down(when, &tm) || strftime(buf, sizeof buf, "%Y-%m-%dT%H:%M:%S", &tm) == 0 ||
            strftime(zone, sizeof zone, "%z", &tm) != 5)
                return;
        cor_text_add(out, buf);
        if (strcmp(zone, "+0000") == 0)
                cor_text_add_c(out, 'Z');
        else
                cor_text_printf(out, "%.3s:%s", zone, zone + 3);
}

#include "base/date.h"

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
enum { DAY_S = 86400, NANO_DIGITS = 9 };

/* Exactly @n digits at *@s, which moves on. */
static int take_number(const char **s, int n, int *ret)
{
        int value = 0;

        for (int i = 0; i < n; i++) {
                if ((*s)[i] < '0' || (*s)[i] > '9')
                        return -1;
                value = value * 10 + ((*s)[i] - '0');
        }
        *s += n;
        *ret = value;
        return 0;
}

static bool take_char(const char **s, char c)
{
        if (**s != c)
                return false;
        (*s)++;
        return true;
}

/* Digits after a point; more than nine are read and count nothing. */
static int take_fraction(const char **s, long *ret_ns)
{
        long ns = 0;
        int n = 0;

        for (; **s >= '0' && **s <= '9'; (*s)++, n++)
                if (n < NANO_DIGITS)
                        ns = ns * 10 + (**s - '0');
        for (int i = n; i < NANO_DIGITS; i++)
                ns *= 10;
        *ret_ns = ns;
        return n > 0 ? 0 : -1;
}

static int64_t days_since_1970(int year, int month, int day)
{
        static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
        int64_t y = month > 2 ? year : year - 1; /* the year whose leap day is counted last */

        return (int64_t)year * 365 + y / 4 - y / 100 + y / 400 + before[month - 1] + day - 719528;
}

static bool is_day(int year, int month, int day)
{
        static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

/* "Z" or "+01:00": seconds east; 0, or -1. */
static int take_zone(const char **s, int64_t *ret)
{
        int hours, minutes, sign = **s == '-' ? -1 : 1;

        if (take_char(s, 'Z') || take_char(s, 'z')) {
                *ret = 0;
                return 0;
        }
        if ((!take_char(s, '+') && !take_char(s, '-')) || take_number(s, 2, &hours) < 0 || !take_char(s, ':') ||
            take_number(s, 2, &minutes) < 0 || hours > 23 || minutes > 59)
                return -1;
        *ret = sign * (hours * 3600 + minutes * 60);
        return 0;
}

/* What the clock on the wall shows. */
struct wall {
        int year, month, day, hour, minute, second;
        long ns;
};

static int take_date(const char **s, struct wall *w)
{
        return take_number(s, 4, &w->year) < 0 || !take_char(s, '-') || take_number(s, 2, &w->month) < 0 ||
                               !take_char(s, '-') || take_number(s, 2, &w->day) < 0 ||
                               !is_day(w->year, w->month, w->day)
                       ? -1
                       : 0;
}

/* Hours, and as much of the rest as there is; all of it has to be there unless @loose. */
static int take_clock(const char **s, struct wall *w, bool loose)
{
        if (take_number(s, 2, &w->hour) < 0 || w->hour > 23)
                return -1;
        if (!take_char(s, ':'))
                return loose ? 0 : -1;
        if (take_number(s, 2, &w->minute) < 0 || w->minute > 59)
                return -1;
        if (!take_char(s, ':'))
                return loose ? 0 : -1;
        if (take_number(s, 2, &w->second) < 0 || w->second > 60) /* 60: a leap second */
                return -1;
        return take_char(s, '.') ? take_fraction(s, &w->ns) : 0;
}

static time_t wall_utc(const struct wall *w)
{
        return (time_t)(days_since_1970(w->year, w->month, w->day) * DAY_S + w->hour * 3600 + w->minute * 60 +
                        w->second);
}

static time_t wall_local(const struct wall *w)
{
        struct tm tm = { .tm_year = w->year - 1900,
                         .tm_mon = w->month - 1,
                         .tm_mday = w->day,
                         .tm_hour = w->hour,
                         .tm_min = w->minute,
                         .tm_sec = w->second,
                         .tm_isdst = -1 };

        return mktime(&tm);
}

int cor_time_parse(const char *s, struct timespec *ret)
{
        struct wall w = { 0 };
        int64_t east;

        if (take_date(&s, &w) < 0 || (!take_char(&s, 'T') && !take_char(&s, 't')) || take_clock(&s, &w, false) < 0 ||
            take_zone(&s, &east) < 0 || *s)
                return -1;
        ret->tv_sec = wall_utc(&w) - (time_t)east;
        ret->tv_nsec = w.ns;
        return 0;
}

static int parse_seconds(const char *s, struct timespec *ret)
{
        int64_t seconds = 0;
        long ns = 0;
        int n = 0;

        for (; *s >= '0' && *s <= '9'; s++, n++)
                seconds = n < 18 ? seconds * 10 + (*s - '0') : -1;
        if (n == 0 || n > 18 || (take_char(&s, '.') && take_fraction(&s, &ns) < 0) || *s)
                return -1;
        ret->tv_sec = (time_t)seconds;
        ret->tv_nsec = ns;
        return 0;
}

int cor_time_parse_loose(const char *s, struct timespec *ret)
{
        struct wall w = { 0 };
        int64_t east = 0;
        bool zone;

        if (!strchr(s, '-'))
                return parse_seconds(s, ret);
        if (take_date(&s, &w) < 0 || (take_char(&s, 'T') && take_clock(&s, &w, true) < 0))
                return -1;
        zone = *s != '\0';
        if (zone && (take_zone(&s, &east) < 0 || *s))
                return -1;
        ret->tv_sec = zone ? wall_utc(&w) - (time_t)east : wall_local(&w);
        ret->tv_nsec = w.ns;
        return 0;
}

int64_t cor_time_ns(const struct timespec *t)
{
        int64_t ns;

        if (__builtin_mul_overflow((int64_t)t->tv_sec, NS_PER_S, &ns) ||
            __builtin_add_overflow(ns, (int64_t)t->tv_nsec, &ns))
                return t->tv_sec < 0 ? INT64_MIN : INT64_MAX;
        return ns;
}

int64_t cor_wall_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return cor_time_ns(&now);
}

int cor_moment_parse(const char *s, int64_t *ret_ns)
{
        bool plain = s[strspn(s, "0123456789.")] == '\0'; /* seconds since 1970, and no duration */
        struct timespec t;
        uint64_t ago_ms;
        int64_t ago;

        if (!plain && cor_parse_duration(s, &ago_ms) == 0) {
                if (__builtin_mul_overflow(ago_ms, NS_PER_MS, &ago) ||
                    __builtin_sub_overflow(cor_wall_ns(), ago, ret_ns))
                        *ret_ns = INT64_MIN;
                return 0;
        }
        if (cor_time_parse_loose(s, &t) < 0)
                return -1;
        *ret_ns = cor_time_ns(&t);
        return 0;
}

/* Names that the engine makes up, and those that users may give. */
#include "engine/container_internal.h"

#include <ctype.h>
#include <string.h>
#include <sys/random.h>

static const char *const first_words[] = {
        "agile",   "amber",  "ample",  "astute",  "bold",   "brave",  "breezy", "bright", "brisk",  "calm",   "candid",
        "clever",  "cosy",   "crisp",  "curious", "daring", "deft",   "eager",  "early",  "fair",   "fleet",  "fluent",
        "fresh",   "gentle", "glad",   "golden",  "handy",  "happy",  "hardy",  "hearty", "honest", "humble", "jolly",
        "keen",    "kind",   "lively", "lucid",   "lucky",  "merry",  "mild",   "modest", "neat",   "nimble", "noble",
        "patient", "placid", "plucky", "polite",  "proud",  "quick",  "quiet",  "ready",  "robust", "serene", "sharp",
        "silver",  "simple", "sober",  "solid",   "steady", "sturdy", "subtle", "sunny",  "swift",  "tender", "thrifty",
        "tidy",    "trusty", "upbeat", "vivid",   "warm",   "wise",   "witty",  "zesty",
};
static const char *const second_words[] = {
        "anchor", "badger",  "barge",  "bay",    "beacon", "beaver", "brook",  "canoe",   "cape",   "cove",
        "crane",  "creek",   "curlew", "delta",  "dipper", "dory",   "dune",   "eel",     "eider",  "estuary",
        "ferry",  "fjord",   "ford",   "gannet", "grebe",  "gull",   "harbor", "heron",   "inlet",  "islet",
        "kayak",  "kestrel", "lagoon", "lake",   "lark",   "ledge",  "loch",   "mallard", "marsh",  "minnow",
        "moor",   "narrows", "newt",   "oar",    "osprey", "otter",  "paddle", "perch",   "pier",   "pike",
        "pond",   "puffin",  "quay",   "raft",   "rapids", "reed",   "reef",   "river",   "rudder", "sail",
        "salmon", "sandbar", "seal",   "shoal",  "skiff",  "sound",  "spring", "strait",  "swan",   "tarn",
        "teal",   "tern",    "tide",   "trout",  "wave",   "weir",   "wharf",  "willow",
};

static unsigned random_below(size_t n)
{
        uint32_t r = 0;

        (void)!getrandom(&r, sizeof r, GRND_NONBLOCK); /* it need not be secret */
        return r % (unsigned)n;
}

char *name_random(unsigned attempt)
{
        const char *first = first_words[random_below(COR_COUNT(first_words))];
        const char *second = second_words[random_below(COR_COUNT(second_words))];

        return attempt == 0 ? cor_printf("%s_%s", first, second)
                            : cor_printf("%s_%s%u", first, second, random_below(attempt * 10));
}

int name_check(const char *name, const char *what, struct cor_err *err)
{
        size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

        if (isalnum((unsigned char)name[0]) && n > 1 && name[n] == '\0' && n < 256)
                return 0;
        return cor_fail(err, COR_INVALID, "Invalid %s name (%.300s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", what,
                        name);
}

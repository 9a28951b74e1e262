#ifndef CORACLE_LINUX_STATX_H
#define CORACLE_LINUX_STATX_H
/*
 * statx(2) with the words and the struct of the kernel: those of a C library may lack what is newer than it, as those
 * of musl do (the mount id, and what is told of mount points and fs-verity).
 */
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
        LOOK_UID = 0x8,
        LOOK_MOUNT_ID = 0x1000,
        LOOK_IS_MOUNT_ROOT = 0x2000, /* these two of attributes */
        LOOK_HAS_VERITY = 0x100000,
};

struct file_look { /* struct statx */
        uint32_t mask, blksize;
        uint64_t attributes;
        uint32_t nlink, uid, gid;
        uint16_t mode, unused;
        uint64_t ino, size, blocks, attributes_mask;
        struct {
                int64_t seconds;
                uint32_t nanoseconds;
                int32_t unused;
        } times[4]; /* of access, birth, change, modification */
        uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
        uint64_t mount_id;
        uint64_t newer[13];
};

_Static_assert(sizeof(struct file_look) == 256, "the kernel's size");

/* Look at what @fd is, as AT_ @flags say (AT_EMPTY_PATH is among them). 0, or -1 with errno */
static inline int file_look(int fd, int flags, unsigned wanted, struct file_look *ret_look)
{
        return (int)syscall(SYS_statx, fd, "", flags, wanted, ret_look);
}

#endif

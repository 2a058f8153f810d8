//! What every function of the C ABI returns. Values never change their meaning; src/native/status.ts holds the same.

pub const Status = enum(i32) {
    ok = 0,
    /// A null or misaligned pointer, a size of zero, a product that overflows, a buffer too small, an unknown value.
    argument_invalid = 1,
    /// An infinity or a NaN where numbers must be finite.
    not_finite = 2,
    out_of_memory = 3,
    /// This CPU or its operating system lacks the level that was asked for.
    cpu_unsupported = 4,
    file_unreadable = 5,
    thread_start_failed = 6,
    /// The context is computing already; it serves one caller at a time.
    busy = 7,
    /// The system does not let this process keep so much in memory.
    lock_refused = 8,

    pub fn code(self: Status) i32 {
        return @backingInt(self);
    }
};

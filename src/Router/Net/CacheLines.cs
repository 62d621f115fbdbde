using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Router.Net;

/// <summary>Asks the processor for memory that is wanted soon, so that what is wanted of many comes at once instead of
/// one after another. Does nothing where the processor is not known to take it.</summary>
internal static unsafe class CacheLines
{
    private const int LineBytes = 64;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch<T>(ref T place)
        where T : struct
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref place));
        }
    }

    /// <param name="target">Is not looked at.</param>
    /// <param name="bytes">Its size, header and all.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(object? target, int bytes)
    {
        if (Sse.IsSupported)
        {
            // Invariant: the address is only asked for, never read. The collector may move the object meanwhile, and a
            // prefetch of what is no memory does nothing.
            var address = Unsafe.As<object?, nuint>(ref target);
            for (var at = 0; at < bytes; at += LineBytes)
            {
                Sse.Prefetch0((void*)(address + (nuint)at));
            }
        }
    }
}

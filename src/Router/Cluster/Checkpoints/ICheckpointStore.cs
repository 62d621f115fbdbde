using System.Buffers;
using System.Text;

namespace Router.Cluster.Checkpoints;

/// <summary>What is kept of an identity. Immutable.</summary>
/// <param name="Identity">Its name: see <see cref="CheckpointLimits.IsIdentity"/>.</param>
/// <param name="Epoch">Of the attachment that wrote it; the first attachment has 1.</param>
/// <param name="Revision">Of the state, growing with each checkpoint; 0 while there is none.</param>
/// <param name="State">The handler's bytes, <see cref="CheckpointLimits.StateBytesMax"/> at most; empty while there is
/// none.</param>
internal sealed record Checkpoint(string Identity, long Epoch, long Revision, ReadOnlyMemory<byte> State);

/// <summary>Keeps identities' checkpoints. What a store promises is the same for all: one contract suite runs over
/// each.</summary>
/// <remarks>
/// Any thread. An operation is all of a batch or nothing. It fails with <see cref="CheckpointsRefusedException"/> where
/// the store is there and will not take something of the batch, and with any other exception where the store is not to
/// be had: whoever calls tries again within his own limits. It ends within seconds in either case.
/// <para>A try that failed may have been done all the same, but it is never done after a later one: an epoch that was
/// returned stays the highest until somebody claims the identity again. The memory of states is not used any more once
/// an operation has ended.</para>
/// </remarks>
internal interface ICheckpointStore : IAsyncDisposable
{
    /// <summary>Takes a new epoch for each identity: one more than the store has, and at least what is asked for, and
    /// 1. From then on writes with a lower epoch are refused.</summary>
    /// <param name="claims">Identities, each at most once, and the lowest epoch that each may get.</param>
    /// <param name="cancellationToken">Gives up waiting; what becomes of the batch is not known then.</param>
    /// <returns>In the same order: what is kept, with the new epoch.</returns>
    ValueTask<IReadOnlyList<Checkpoint>> ClaimAsync(
        IReadOnlyList<(string Identity, long LowestEpoch)> claims, CancellationToken cancellationToken);

    /// <summary>Keeps checkpoints whose epoch is higher than the kept one's, or whose epoch is the same and whose
    /// revision is higher.</summary>
    /// <param name="checkpoints">Each identity at most once.</param>
    /// <param name="cancellationToken">Gives up waiting; what becomes of the batch is not known then.</param>
    /// <returns>In the same order: true if it is kept, or one of the same epoch that is no older; false if its epoch is
    /// over: the identity was claimed since, or written with a higher one.</returns>
    ValueTask<IReadOnlyList<bool>> WriteAsync(
        IReadOnlyList<Checkpoint> checkpoints, CancellationToken cancellationToken);

    /// <summary>Looks for what is kept of an identity, for an operator: nothing is claimed, and other operations do not
    /// wait for it, but where the store is one file.</summary>
    /// <param name="identity">Its name.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>Null for nothing.</returns>
    ValueTask<Checkpoint?> FindAsync(string identity, CancellationToken cancellationToken);

    /// <summary>Forgets identities that nobody has claimed since: those whose epoch is still the given one.</summary>
    /// <remarks>The next epoch of a forgotten identity is the lowest that its claim asks for: whoever forgets sees to
    /// it that nobody is left who speaks for it.</remarks>
    ValueTask ForgetAsync(
        IReadOnlyList<(string Identity, long Epoch)> identities, CancellationToken cancellationToken);
}

/// <summary>The store is there, and something of the batch is such that it will never be taken.</summary>
internal sealed class CheckpointsRefusedException(Exception reason) : Exception(reason.Message, reason);

/// <summary>What every store can keep. Peers choose identities: one that a store chokes on would hold up all
/// others.</summary>
internal static class CheckpointLimits
{
    /// <summary>UTF-16 units. At most 768 bytes of UTF-8, where an index of PostgreSQL takes 2,700.</summary>
    public const int IdentityCharsMax = 256;

    /// <summary>Half of what a message between members may be.</summary>
    public const int StateBytesMax = 64 << 10;

    /// <summary>Whether it is whole Unicode without NUL, which PostgreSQL's text cannot hold, and not empty or too
    /// long.</summary>
    public static bool IsIdentity(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text.Length > IdentityCharsMax || text.Contains('\0'))
        {
            return false;
        }

        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out _, out var units) != OperationStatus.Done)
            {
                return false;
            }

            text = text[units..];
        }

        return true;
    }
}

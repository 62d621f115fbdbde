using Router.Net;

namespace Router.Upstreams;

/// <summary>The upstreams of a group at one time. Immutable.</summary>
internal sealed class UpstreamSnapshot
{
    /// <summary>How many upstreams a group can hold; addresses beyond it are left out.</summary>
    public const int UpstreamsMax = 256;

    private readonly Upstream[] _upstreams;
    private readonly ulong[] _keys;

    public UpstreamSnapshot(Upstream[] upstreams, long revision)
    {
        Check.That(upstreams.Length <= UpstreamsMax);
        _upstreams = upstreams;
        _keys = Array.ConvertAll(upstreams, upstream => upstream.Key);
        HasWeights = upstreams.Select(static upstream => upstream.Share).Where(static share => share > 0)
            .Distinct().Skip(1).Any();
        Revision = revision;
    }

    public static UpstreamSnapshot Empty { get; } = new([], 0);

    public ReadOnlySpan<Upstream> Upstreams => _upstreams;

    /// <summary>The upstreams' keys, in the same order.</summary>
    public ReadOnlySpan<ulong> Keys => _keys;

    public bool Contains(Upstream upstream) => Array.IndexOf(_upstreams, upstream) >= 0;

    /// <summary>Whether some are to get more sessions than others.</summary>
    public bool HasWeights { get; }

    /// <summary>Grows with every change.</summary>
    public long Revision { get; }
}

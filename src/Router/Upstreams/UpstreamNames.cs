using System.Net;
using Router.Net;

namespace Router.Upstreams;

/// <summary>
/// The addresses of a group's targets, as last resolved, and what has been logged about them. Only the group's actor
/// uses it.
/// </summary>
/// <remarks>Kept apart from the actor, so that a restart of it forgets nothing.</remarks>
internal sealed class UpstreamNames
{
    private readonly UpstreamGroup _group;
    private readonly Func<SocketAddr, bool> _isOwnListener;
    private readonly IUpstreamEvents _events;
    private SocketAddr[]?[] _addresses;   // by target; null until it has resolved once
    private bool[] _failing;
    private bool[] _tooMany;
    private readonly HashSet<SocketAddr> _refused = [];
    private readonly Dictionary<SocketAddr, Upstream> _known = [];

    /// <summary>Publishes what needs no resolving.</summary>
    /// <param name="group">Where upstreams are published.</param>
    /// <param name="isOwnListener">Whether an endpoint is one of this router's listeners; any thread.</param>
    /// <param name="events">Where it is written down.</param>
    public UpstreamNames(UpstreamGroup group, Func<SocketAddr, bool> isOwnListener, IUpstreamEvents events)
    {
        _group = group;
        _isOwnListener = isOwnListener;
        _events = events;
        group.Events = events;
        (_addresses, _failing, _tooMany) = ([], [], []);
        SetTargets(group.Settings.Targets, before: []);
        Publish();
    }

    public UpstreamGroup Group => _group;

    /// <summary>Indexes of the targets that are names.</summary>
    public IReadOnlyList<int> ToResolve { get; private set; } = [];

    /// <summary>Applies other settings. Targets that stay keep the addresses they had resolved to, also at another
    /// port. The upstreams of before serve until one of the targets has an address, so that no session comes too
    /// early.</summary>
    public void Change(UpstreamGroupSettings settings)
    {
        var before = _group.Settings.Targets;
        _group.Settings = settings;
        SetTargets(settings.Targets, before);
        Publish();
    }

    public void OnResolved(int index, IReadOnlyCollection<IPAddress> answer)
    {
        var target = _group.Settings.Targets[index];

        // Sorted: servers rotate their answers, and that is no change.
        var addresses = answer
            .Select(address => Normalized(address, target.Port))
            .Distinct()
            .OrderBy(address => address.Word0)
            .ThenBy(address => address.Word1)
            .ThenBy(address => address.Word2)
            .ToArray();
        var changed = _addresses[index] is not { } before || !before.AsSpan().SequenceEqual(addresses);
        if (!changed && !_failing[index])
        {
            return;
        }

        _failing[index] = false;
        _addresses[index] = addresses;
        _events.Resolved(_group.Name, target, addresses);
        if (changed)
        {
            Publish();
        }
    }

    /// <summary>A name has not resolved: the addresses that it had before stay in use.</summary>
    public void OnUnresolved(int index, string error, TimeSpan retry)
    {
        if (!_failing[index])
        {
            _failing[index] = true;
            _events.Unresolved(
                _group.Name, _group.Settings.Targets[index], error, _addresses[index]?.Length ?? 0, retry);
        }
    }

    /// <summary>Sets the targets, with what is known of those that were targets before.</summary>
    private void SetTargets(IReadOnlyList<UpstreamTarget> targets, IReadOnlyList<UpstreamTarget> before)
    {
        var (addresses, failing, tooMany) = (_addresses, _failing, _tooMany);
        _addresses = new SocketAddr[]?[targets.Count];
        _failing = new bool[targets.Count];
        _tooMany = new bool[targets.Count];
        var places = new Dictionary<UpstreamTarget, int>();
        var hosts = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < before.Count; i++)
        {
            places[before[i]] = i;
            hosts[before[i].Host] = i;
        }

        var toResolve = new List<int>();
        for (var i = 0; i < targets.Count; i++)
        {
            if (places.TryGetValue(targets[i], out var place))
            {
                (_addresses[i], _failing[i], _tooMany[i]) = (addresses[place], failing[place], tooMany[place]);
            }
            else if (hosts.TryGetValue(targets[i].Host, out var host) && addresses[host] is { } known)
            {
                var port = targets[i].Port;
                _addresses[i] = [.. known.Select(address => address.WithPort(port))];
            }

            if (UnixAddress.TryParse(targets[i].Host, out var unix))
            {
                _addresses[i] = [unix];
            }
            else if (IPAddress.TryParse(targets[i].Host, out var literal))
            {
                _addresses[i] = [Normalized(literal, targets[i].Port)];
            }
            else
            {
                toResolve.Add(i);
            }
        }

        ToResolve = toResolve;
    }

    /// <summary>
    /// Mapped addresses are the same endpoint as plain ones: one spelling, so that no check can be passed in the other.
    /// </summary>
    private static SocketAddr Normalized(IPAddress address, int port) =>
        SocketAddr.From(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, port);

    /// <summary>Gives the group those addresses that may be used.</summary>
    public void Publish()
    {
        if (_addresses.Length > 0 && Array.TrueForAll(_addresses, static addresses => addresses is null))
        {
            PublishWhatServes();
            return;
        }

        var upstreams = new List<Upstream>();
        var seen = new HashSet<SocketAddr>();
        for (var i = 0; i < _addresses.Length; i++)
        {
            foreach (var address in _addresses[i] ?? [])
            {
                if (seen.Add(address) && MayUse(i, address, upstreams.Count))
                {
                    upstreams.Add(UpstreamAt(address));
                }
            }
        }

        _group.Publish([.. upstreams]);
        Forget(seen);
        _group.Known = [.. upstreams, .. _known.Values.Where(upstream =>
            upstream.Mode == UpstreamMode.Disabled && seen.Contains(upstream.Address))];
        _group.Held = [.. _known.Values];
    }

    /// <summary>Has an upstream be otherwise from now on.</summary>
    /// <returns>False where there is no such upstream.</returns>
    public bool Set(string endpoint, UpstreamMode? mode, int? weight)
    {
        if (_group.Known.FirstOrDefault(known => known.Text == endpoint) is not { } upstream)
        {
            return false;
        }

        upstream.Set(mode ?? upstream.Mode, weight ?? upstream.Weight);
        Publish();
        return true;
    }

    /// <summary>Nothing is known yet of the targets: the upstreams of before go on, but for a listener of ours that is
    /// at one of them by now.</summary>
    private void PublishWhatServes()
    {
        var serving = _group.Current.Upstreams.ToArray();
        var left = Array.FindAll(serving, upstream => !_isOwnListener(upstream.Address));
        if (left.Length < serving.Length)
        {
            _group.Publish(left);
        }
    }

    private bool MayUse(int index, SocketAddr address, int used)
    {
        var target = _group.Settings.Targets[index];
        if (_isOwnListener(address))
        {
            if (_refused.Add(address))
            {
                _events.OwnListener(_group.Name, target, address);
            }

            return false;
        }

        if (_known.GetValueOrDefault(address)?.Mode == UpstreamMode.Disabled)
        {
            return false;
        }

        if (used == UpstreamSnapshot.UpstreamsMax)
        {
            if (!_tooMany[index])
            {
                _tooMany[index] = true;
                _events.TooMany(_group.Name, target, UpstreamSnapshot.UpstreamsMax);
            }

            return false;
        }

        return true;
    }

    /// <summary>The same object for the same endpoint: its session count goes on.</summary>
    private Upstream UpstreamAt(SocketAddr address)
    {
        if (!_known.TryGetValue(address, out var upstream))
        {
            upstream = new Upstream(address);
            _known[address] = upstream;
        }

        return upstream;
    }

    /// <summary>Endpoints that no target leads to are kept only while sessions are left on them.</summary>
    private void Forget(HashSet<SocketAddr> seen)
    {
        foreach (var (address, upstream) in _known)
        {
            if (upstream.Sessions == 0 && !seen.Contains(address))
            {
                _known.Remove(address);
            }
        }

        _refused.IntersectWith(seen);
    }
}

namespace Router.Cluster.Identities;

/// <summary>Which sessions waited to be attached and were told that they are over: by their order, for each member
/// the latest. What is under way of them, or of one that asked before them, comes too late.</summary>
internal sealed class DisplacedOrders
{
    private readonly Dictionary<Place, long> _latest = new(1);

    public bool Contains(Place place, long order) => order <= _latest.GetValueOrDefault(place);

    /// <param name="place">The member of the session.</param>
    /// <param name="order">Of the session.</param>
    /// <param name="isGone">Whether a member is out of the cluster: it is not remembered any longer.</param>
    public void Add(Place place, long order, Func<Place, bool> isGone)
    {
        if (!_latest.ContainsKey(place))
        {
            foreach (var gone in _latest.Keys.Where(isGone).ToList())
            {
                _latest.Remove(gone);
            }
        }

        _latest[place] = Math.Max(order, _latest.GetValueOrDefault(place));
    }
}

using System.Diagnostics.Metrics;

namespace Router.Reporting;

/// <summary>Makes instruments of the listeners' figures, with <c>listener</c> and <c>route</c>. The figures are summed
/// up once a collection, for all of them.</summary>
internal sealed class ListenerMeter(Meter meter, ListenerStats stats)
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _served = new(StringComparer.Ordinal);
    private IReadOnlyList<ListenerFigures> _figures = [];

    public void Count(string name, string unit, string description, Func<ListenerFigures, long> figure) =>
        meter.CreateObservableCounter(name, () => Each(name, figure), unit, description);

    public void Gauge(
        string name, string unit, string description, Func<ListenerFigures, long> figure, Action? before = null) =>
        meter.CreateObservableUpDownCounter(
            name,
            () =>
            {
                before?.Invoke();
                return Each(name, figure);
            },
            unit, description);

    /// <summary>With one more tag, and a figure for each value of it.</summary>
    public void CountEach(
        string name, string unit, string description, string tag,
        Func<ListenerFigures, IEnumerable<(string Value, long Count)>> counts) =>
        meter.CreateObservableCounter(
            name,
            () => from figures in Read(name)
                  from each in counts(figures)
                  select new Measurement<long>(
                      each.Count, [.. TagsOf(figures), RouterMeter.Tag(tag, each.Value)]),
            unit, description);

    private static KeyValuePair<string, object?>[] TagsOf(ListenerFigures figures) =>
        [RouterMeter.Tag("listener", figures.Listener), RouterMeter.Tag("route", figures.Route)];

    private IEnumerable<Measurement<long>> Each(string name, Func<ListenerFigures, long> figure) =>
        Read(name).Select(figures => new Measurement<long>(figure(figures), TagsOf(figures)));

    /// <summary>An instrument that asks again is in another collection than those that asked before it.</summary>
    private IReadOnlyList<ListenerFigures> Read(string name)
    {
        lock (_lock)
        {
            if (_served.Count == 0 || !_served.Add(name))
            {
                _served.Clear();
                _served.Add(name);
                _figures = stats.ReadByRoute();
            }

            return _figures;
        }
    }
}

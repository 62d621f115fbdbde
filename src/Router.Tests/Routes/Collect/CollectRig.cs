using System.Text;
using Router.Routes;
using Router.TestKit;

namespace Router.Tests.Routes;

/// <summary>A collect route in a kit, whose windows are kept as text.</summary>
internal sealed class CollectRig : ICollectOutlet, IDisposable
{
    private readonly bool _isSinkLate;
    private readonly List<CollectedWindow> _held = [];

    public CollectRig(CollectSettings settings, int loops = 1, bool isSinkLate = false)
    {
        _isSinkLate = isSinkLate;
        Kit = new RouterTestKit(seed: 1, loops)
        {
            Limits = new ListenerLimits { IdleTimeout = Timeout.InfiniteTimeSpan },
        };
        Route = new CollectRoute("collect", settings) { Outlet = this };
    }

    public static CollectSettings Settings { get; } = new(
        CollectScope.Session, WindowMs: 2_000, EveryMs: 0, Count: 0, Bytes: 1 << 20, Buffer: 64 << 20);

    public RouterTestKit Kit { get; }

    public CollectRoute Route { get; }

    /// <summary>Each as <c>NUMBER: PAYLOAD PAYLOAD...</c>, in the order of delivery.</summary>
    public List<string> Windows { get; } = [];

    public List<CollectedWindow> Held => _held;

    public void Offer(CollectedWindow window)
    {
        var payloads = new List<string>();
        foreach (var payload in window)
        {
            payloads.Add(Encoding.UTF8.GetString(payload.Bytes));
        }

        Assert.Equal(payloads.Count, window.Count);
        Assert.Equal(payloads.Sum(static payload => payload.Length), window.Bytes);
        Windows.Add($"{window.Number}: {string.Join(' ', payloads)}");
        if (_isSinkLate)
        {
            _held.Add(window);
        }
        else
        {
            window.Release();
        }
    }

    /// <summary>The late sink takes what waits.</summary>
    public void Catch()
    {
        _held.ForEach(static window => window.Release());
        _held.Clear();
    }

    /// <summary>Stops the router as it is stopped, and confirms that no memory is left behind.</summary>
    public void Finish()
    {
        Kit.Stop();
        var finished = Route.FinishAsync(Kit.Loops, TimeSpan.FromSeconds(10));
        Assert.True(SpinWait.SpinUntil(() => IsFinished(finished), TimeSpan.FromSeconds(60)));
        Catch();
        Assert.Equal(0, Route.Budget.Used);
        Kit.AssertNoLeakedBuffers();
    }

    public void Dispose() => Kit.Dispose();

    private bool IsFinished(Task finishing)
    {
        Kit.RunUntilIdle();
        return finishing.IsCompleted;
    }
}

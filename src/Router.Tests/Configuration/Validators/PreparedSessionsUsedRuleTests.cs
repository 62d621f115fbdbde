namespace Router.Tests.Configuration.Validators;

public sealed class PreparedSessionsUsedRuleTests
{
    [Fact]
    public void More_than_may_be_open_are_a_warning() =>
        Loaded.Warns(Loaded.Result(Conf(prepared: 31)), "router.heap.prepared-sessions", "30 together");

    [Fact]
    public void As_many_as_may_be_open_are_not() => Assert.Empty(Loaded.Result(Conf(prepared: 30)).Warnings);

    private static string Conf(int prepared) => $$"""
        router {
          heap.prepared-sessions = {{prepared}}
          listeners {
            a { bind = "udp://127.0.0.1:5", route = e, max-sessions = 10 }
            b { bind = "udp://127.0.0.1:6", route = e, max-sessions = 20 }
          }
          routes { e { type = echo } }
        }
        """;
}

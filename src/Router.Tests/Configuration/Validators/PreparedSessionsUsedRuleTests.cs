namespace Router.Tests.Configuration.Validators;

public sealed class PreparedSessionsUsedRuleTests
{
    [Fact]
    public void More_than_may_be_open_are_a_warning() =>
        Loaded.Warns(Loaded.Result(Conf(prepared: 31)), "router.heap.prepared-sessions", "30 together");

    [Fact]
    public void As_many_as_may_be_open_are_not() => Assert.Empty(Loaded.Result(Conf(prepared: 30)).Warnings);

    [Fact]
    public void None_is_prepared_where_all_listeners_are_on_the_pool() =>
        Loaded.Warns(
            Loaded.Result("""
                router {
                  heap.prepared-sessions = 1
                  listeners.a { bind = "udp://127.0.0.1:5", route = h, session.dispatcher = pool }
                  routes { h { type = handler, name = h } }
                }
                """),
            "router.heap.prepared-sessions", "dispatcher = pool");

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

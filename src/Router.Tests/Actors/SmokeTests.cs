namespace Router.Tests.Actors;

public sealed class SmokeTests
{
    private sealed class Echo : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is "boom")
            {
                throw new InvalidOperationException("boom");
            }

            Sender.Tell(message, Self);
        }
    }

    [Fact]
    public async Task Echo_answers_after_a_restart_and_the_system_terminates()
    {
        var system = ActorSystem.Create("smoke");
        var echo = system.ActorOf(Props.Create(() => new Echo()), "echo");
        Assert.Equal("one", await echo.Ask<string>("one", TimeSpan.FromSeconds(5)));
        echo.Tell("boom");
        Assert.Equal("two", await echo.Ask<string>("two", TimeSpan.FromSeconds(5)));
        Assert.Equal("akka://smoke/user/echo", echo.Path.ToString());
        Assert.True(await echo.GracefulStop(TimeSpan.FromSeconds(5)));
        await Assert.ThrowsAsync<AskTimeoutException>(() => echo.Ask("three", TimeSpan.FromMilliseconds(20)));
        await system.Terminate().WaitAsync(TimeSpan.FromSeconds(5));
    }
}

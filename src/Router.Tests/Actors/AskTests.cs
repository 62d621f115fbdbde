namespace Router.Tests.Actors;

public sealed class AskTests : ActorTestKit
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    public AskTests()
        : base(ActorTestSettings.VirtualTime)
    {
    }

    [Fact]
    public async Task Ask_returns_the_answer()
    {
        var echo = Sys.ActorOf<Echo>();
        Assert.Equal("hello", await echo.Ask<string>("hello", Timeout));
    }

    [Fact]
    public async Task Ask_throws_when_the_answer_is_a_failure()
    {
        var echo = Sys.ActorOf<Echo>();
        var failure = new Status.Failure(new NotSupportedException("no"));
        await Assert.ThrowsAsync<NotSupportedException>(() => echo.Ask<string>(failure, Timeout));
    }

    [Fact]
    public async Task Ask_throws_when_the_answer_is_of_another_type()
    {
        var echo = Sys.ActorOf<Echo>();
        await Assert.ThrowsAnyAsync<Exception>(() => echo.Ask<string>(42, Timeout));
    }


    [Fact]
    public async Task Ask_can_be_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        var answer = CreateTestProbe().Ref.Ask<string>("hello?", cancellation.Token);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
    }

    [Fact]
    public async Task GracefulStop_completes_when_the_actor_has_ended()
    {
        var probe = CreateTestProbe();
        var actor = Sys.ActorOf(Props.Create(() => new Reporter(probe.Ref)));

        Assert.True(await actor.GracefulStop(Timeout));

        probe.FishForMessage<string>(message => message == "post-stop");
        Assert.True(await actor.GracefulStop(Timeout));
    }

    [Fact]
    public void PipeTo_tells_the_result_or_the_failure()
    {
        _ = Task.FromResult("done").PipeTo(TestActor);
        ExpectMsg("done");
        _ = Task.FromException<string>(new NotSupportedException()).PipeTo(TestActor);
        Assert.IsType<NotSupportedException>(ExpectMsg<Status.Failure>().Cause);
        _ = Task.FromResult(1).PipeTo(TestActor, success: number => number + 1);
        ExpectMsg(2);
    }
}

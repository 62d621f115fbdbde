using Router.Cluster.Operations;

namespace Router.Tests.Cluster.Operations;

/// <summary>The bounds of what a member answers to operators.</summary>
public sealed class OperationsActorTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ActorSystem _system = ActorSystem.Create("operations");

    public void Dispose() => _system.Dispose();

    [Fact]
    public async Task More_questions_than_it_answers_at_once_are_refused_and_later_ones_are_not()
    {
        var answer = new TaskCompletionSource<MemberAnswer>();
        var actor = _system.ActorOf(OperationsActor.PropsOf((_, _) => answer.Task));
        var question = new MemberQuestion("facts", "");
        var first = Enumerable.Range(0, OperationsActor.AtOnceMax)
            .Select(_ => actor.Ask<MemberAnswer>(question, Patience))
            .ToList();

        var refused = await actor.Ask<MemberAnswer>(question, Patience);
        answer.SetResult(new MemberAnswer(200, "{}"));

        Assert.Equal(503, refused.Status);
        Assert.All(await Task.WhenAll(first), static given => Assert.True(given.IsOk));
        Assert.True((await actor.Ask<MemberAnswer>(question, Patience)).IsOk);
    }

    [Fact]
    public async Task An_answer_that_no_message_between_members_has_room_for_is_refused()
    {
        var actor = _system.ActorOf(OperationsActor.PropsOf(static (question, _) => Task.FromResult(
            new MemberAnswer(200, new string('x', OperationsActor.AnswerBytesMax + int.Parse(question.Argument))))));

        Assert.True((await actor.Ask<MemberAnswer>(new MemberQuestion("", "0"), Patience)).IsOk);
        Assert.Equal(422, (await actor.Ask<MemberAnswer>(new MemberQuestion("", "1"), Patience)).Status);
    }
}

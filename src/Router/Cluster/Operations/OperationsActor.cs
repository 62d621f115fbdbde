using System.Text;
using Router.Cluster.Members;

namespace Router.Cluster.Operations;

/// <summary>Answers one question of an operator, or throws nothing: what goes wrong is an answer, too. Any thread.
/// </summary>
internal delegate Task<MemberAnswer> AnswerQuestion(MemberQuestion question, CancellationToken end);

/// <summary>A member's answers to what operators ask at any member.</summary>
internal sealed class OperationsActor : ReceiveActor
{
    /// <summary>Below /user.</summary>
    public const string Name = "router-operations";

    /// <summary>Questions that are answered at once; further ones are refused.</summary>
    internal const int AtOnceMax = 16;

    /// <summary>Of an answer: below what a message between members may have, with room for its envelope.</summary>
    internal const int AnswerBytesMax = ClusterSettings.FrameBytes - (16 << 10);

    /// <summary>Whoever asked has given up by then.</summary>
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(30);

    private readonly AnswerQuestion _answer;
    private int _open;

    public OperationsActor(AnswerQuestion answer)
    {
        _answer = answer;
        Receive<MemberQuestion>(OnQuestion);
        Receive<Answered>(OnAnswered);
    }

    public static Props PropsOf(AnswerQuestion answer) => Props.Create<OperationsActor>(answer);

    private void OnQuestion(MemberQuestion question)
    {
        if (_open >= AtOnceMax)
        {
            Sender.Tell(Refusal(503, "Too many ask at once", $"{AtOnceMax} questions are being answered; try again"));
            return;
        }

        _open++;
        var (asker, self) = (Sender, Self);
        var end = new CancellationTokenSource(TimeMax);
        _ = AskAsync();

        async Task AskAsync()
        {
            using (end)
            {
                MemberAnswer answer;
                try
                {
                    answer = await _answer(question, end.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    answer = Refusal(503, "The answer took too long", $"none within {TimeMax.TotalSeconds} s");
                }

                self.Tell(new Answered(asker, answer), ActorRefs.NoSender);
            }
        }
    }

    private void OnAnswered(Answered answered)
    {
        _open--;
        answered.Asker.Tell(Encoding.UTF8.GetByteCount(answered.Answer.Json) <= AnswerBytesMax
            ? answered.Answer
            : Refusal(422, "The answer is too long", "it is longer than a message between members; ask for less"));
    }

    private static MemberAnswer Refusal(int status, string title, string detail) =>
        new(status, $$"""{"title":"{{title}}","status":{{status}},"detail":"{{detail}}","instance":""}""");

    private sealed record Answered(IActorRef Asker, MemberAnswer Answer);
}

using System.Runtime.Serialization;
using Router.Cluster.Members;
using Router.Cluster.Relay;
using Router.Net;

namespace Router.Tests.Cluster.Relay;

public sealed class RelayMessagesTests : Akka.TestKit.Xunit2.TestKit
{
    private readonly ClusterSerializer _serializer;
    private readonly RelayPeer _from;

    public RelayMessagesTests() =>
        (_serializer, _from) = (new ClusterSerializer((ExtendedActorSystem)Sys), new RelayPeer(TestActor, loops: 1));

    [Fact]
    public void Messages_are_read_as_they_were_written()
    {
        Assert.Equal(RelayHelloKind.Drains, Again(new RelayHello(RelayHelloKind.Drains)).Kind);
    }

    [Fact]
    public void A_message_that_is_cut_short_is_refused() =>
        Assert.Throws<SerializationException>(() => RelayHello.Format.Read([]));

    [Theory]
    [InlineData("192.0.2.1:4000", "198.51.100.1")]
    [InlineData("[2001:db8::1]:4000", "2001:db8::2")]
    public void A_question_is_read_as_it_was_written(string peer, string local)
    {
        var note = new byte[RelayNotes.BytesMax];
        var from = SocketAddr.From(System.Net.IPEndPoint.Parse(peer));
        var to = LocalAddr.From(System.Net.IPAddress.Parse(local));
        var length = RelayNotes.WriteQuestion(note, long.MaxValue, isDirect: true, from, to, "caf\u00e9");

        var question = Assert.IsType<RelayQuestion>(RelayNotes.Read(note.AsSpan(0, length), _from, loops: 2));
        Assert.Equal((long.MaxValue, true, from, to, "caf\u00e9"),
            (question.Port, question.IsDirect, question.Peer, question.Local, question.Listener));
        Assert.False(question.IsNowhere());
        Assert.True(question.IsNowhere());
    }

    [Fact]
    public void A_question_that_one_loop_answers_is_nobodys_else()
    {
        var question = new RelayQuestion(_from, 1, isDirect: false, default, default, "a", loops: 2);
        Assert.True(question.TryFind());
        Assert.False(question.TryFind());
        Assert.False(question.IsNowhere() || question.IsNowhere());
    }

    [Fact]
    public void Answers_and_ends_are_read_as_they_were_written()
    {
        var note = new byte[RelayNotes.BytesMax];
        var answer = Assert.IsType<RelayAnswer>(
            RelayNotes.Read(note.AsSpan(0, RelayNotes.WriteAnswer(note, 5, 6)), _from, loops: 1));
        Assert.Equal((5, 6), (answer.Port, answer.Remote));
        var over = Assert.IsType<RelayOver>(RelayNotes.Read(note.AsSpan(0, RelayNotes.WriteOver(note, 7)), _from, 1));
        Assert.Equal(7, over.Port);
    }

    [Fact]
    public void What_is_no_note_is_not_read_and_no_name_is_too_long_to_ask_by()
    {
        var note = new byte[RelayNotes.BytesMax + 1];
        for (var kind = 0; kind < 256; kind++)
        {
            note[0] = (byte)kind;
            for (var length = 0; length < 20; length++)
            {
                var read = RelayNotes.Read(note.AsSpan(0, length), _from, loops: 1);
                Assert.True(read is null or RelayAnswer or RelayOver);
            }

            Assert.Null(RelayNotes.Read(note, _from, loops: 1));
        }

        Assert.Equal(0, RelayNotes.WriteQuestion(note, 1, isDirect: false, default, default, new string('x', 1_001)));
    }

    private T Again<T>(T message)
        where T : IClusterMessage =>
        (T)_serializer.FromBinary(_serializer.ToBinary(message), _serializer.Manifest(message));
}

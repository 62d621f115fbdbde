using System.Buffers.Binary;
using System.Runtime.Serialization;
using System.Text;
using Router.Cluster.Members;

namespace Router.Cluster.Operations;

/// <summary>What an operator wants to know of a member, or have it do. Told to its <see cref="OperationsActor"/>.
/// </summary>
/// <param name="Topic">A word, which members of all versions understand alike or not at all.</param>
/// <param name="Argument">JSON, empty for none: fields that a member does not know it leaves out.</param>
internal sealed record MemberQuestion(string Topic, string Argument) : IClusterMessage, IDeadLetterSuppression;

/// <summary>Answers <see cref="MemberQuestion"/>.</summary>
/// <param name="Status">As of HTTP: 200, or why not.</param>
/// <param name="Json">The answer, or a problem of RFC 9457.</param>
internal sealed record MemberAnswer(int Status, string Json) : IClusterMessage, IDeadLetterSuppression
{
    public bool IsOk => Status == 200;
}

/// <summary>How they are written: a number, the bytes of the first text, and the texts as UTF-8.</summary>
internal static class OperationsFormats
{
    private const int HeadBytes = 3 * sizeof(int);

    public static IEnumerable<ClusterFormat> All { get; } =
    [
        ClusterFormat.Of<MemberQuestion>(
            "mq",
            static question => Write(0, question.Topic, question.Argument),
            static bytes => Read(bytes, static (_, topic, argument) => new MemberQuestion(topic, argument))),
        ClusterFormat.Of<MemberAnswer>(
            "ma",
            static answer => Write(answer.Status, "", answer.Json),
            static bytes => Read(bytes, static (status, _, json) => new MemberAnswer(status, json))),
    ];

    private static byte[] Write(int number, string first, string second)
    {
        var (firstBytes, secondBytes) = (Encoding.UTF8.GetByteCount(first), Encoding.UTF8.GetByteCount(second));
        var bytes = new byte[HeadBytes + firstBytes + secondBytes];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), firstBytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), secondBytes);
        Encoding.UTF8.GetBytes(first, bytes.AsSpan(HeadBytes));
        Encoding.UTF8.GetBytes(second, bytes.AsSpan(HeadBytes + firstBytes));
        return bytes;
    }

    private static T Read<T>(byte[] bytes, Func<int, string, string, T> make)
    {
        if (bytes.Length < HeadBytes)
        {
            throw new SerializationException($"not {HeadBytes} bytes");
        }

        var first = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(4));
        var second = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8));
        return first >= 0 && second >= 0 && HeadBytes + (long)first + second == bytes.Length
            ? make(
                BinaryPrimitives.ReadInt32LittleEndian(bytes),
                Encoding.UTF8.GetString(bytes, HeadBytes, first),
                Encoding.UTF8.GetString(bytes, HeadBytes + first, second))
            : throw new SerializationException("its lengths are not those that it names");
    }
}

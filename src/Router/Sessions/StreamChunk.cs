using Router.Loop;

namespace Router.Sessions;

/// <summary>Bytes of a stream on their way to a handler on the pool.</summary>
internal sealed class StreamChunk
{
    private readonly BufferPool _buffers;
    private byte[] _bytes;

    public StreamChunk(ReadOnlySpan<byte> bytes, BufferPool buffers)
    {
        _buffers = buffers;
        _bytes = buffers.Rent(bytes.Length);
        bytes.CopyTo(_bytes);
        Length = bytes.Length;
    }

    public int Length { get; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    public void Release()
    {
        var bytes = _bytes;
        _bytes = [];
        _buffers.Return(bytes);
    }
}

using System.Text;
using Router.Loop;
using Router.Net;
using Router.Processes;
using Router.Sessions;

namespace Router.Routes;

/// <summary>A child's standard error, line by line into the log, at a rate. Loop thread only.</summary>
/// <remarks>
/// Everything is read, so that a child that writes much does not stand still; but one that writes beyond its rate is
/// read at most every 10 ms, so that it cannot keep the loop busy.
/// </remarks>
internal sealed class ExecErrors(SessionContext session, int linesPerSecond, Action onEnded) : LoopTimer, IIoReceiver
{
    /// <summary>Longer lines are cut: so are values of the log.</summary>
    private const int LineBytesMax = 1_024;

    private const int ReadBytes = 64 * 1_024;
    private const int DrainReadsMax = 16;
    private const int PauseMs = 10;
    private const int WindowMs = 1_000;

    private ErrorOutput? _output;
    private int _process;
    private byte[]? _line;      // the beginning of one whose end has not come
    private int _lineBytes;
    private bool _isCut;
    private long _windowMs = long.MinValue / 2;
    private int _written;
    private long _suppressed;

    /// <summary>No process holds its other end any more.</summary>
    public bool HasEnded { get; private set; }

    public void Start(ChildProcess child)
    {
        _process = child.Id;
        _output = child.Errors;
        if (session.Loop.Register(_output!, this, IoReadiness.Readable) < 0)
        {
            End();
        }
    }

    /// <summary>How many lines were left out of the log since the last one that was written.</summary>
    public long TakeSuppressed()
    {
        var suppressed = _suppressed;
        _suppressed = 0;
        return suppressed;
    }

    /// <summary>Reads what is there already, once the child has ended.</summary>
    public void Drain()
    {
        for (var i = 0; i < DrainReadsMax && !HasEnded && Read(); i++)
        {
        }
    }

    /// <summary>Reads no more. The child disposes of the output.</summary>
    public void Stop()
    {
        HasEnded = true;
        session.Loop.Cancel(this);
        EndLine();
        if (_line is { } line)
        {
            _line = null;
            session.Loop.Buffers.Return(line);
        }
    }

    void IIoReceiver.OnReady(IoSocket socket, IoReadiness ready)
    {
        if (!Read())
        {
            return;
        }

        if (!MayWrite() && !HasEnded)
        {
            session.Loop.TakeOff(socket);   // also for a hang-up, which would be told on every pass
            session.Loop.Schedule(this, session.Loop.NowMs + PauseMs);
        }
    }

    internal override void OnTimer()
    {
        if (!HasEnded && session.Loop.Register(_output!, this, IoReadiness.Readable) < 0)
        {
            End();
        }
    }

    /// <returns>Whether there was anything.</returns>
    private unsafe bool Read()
    {
        var loop = session.Loop;
        var received = _output!.Receive(loop.ReadBuffer, Math.Min(ReadBytes, loop.ReadBufferBytes));
        if (received > 0)
        {
            Take(new ReadOnlySpan<byte>(loop.ReadBuffer, received));
            return true;
        }

        if (received != -(int)Errno.EAGAIN)
        {
            End();
        }

        return false;
    }

    private void End()
    {
        if (!HasEnded)
        {
            session.Loop.TakeOff(_output!);
            Stop();
            onEnded();
        }
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        while (bytes.IndexOf((byte)'\n') is >= 0 and var end)
        {
            Keep(bytes[..end]);
            EndLine();
            bytes = bytes[(end + 1)..];
        }

        Keep(bytes);
    }

    private void Keep(ReadOnlySpan<byte> part)
    {
        var room = Math.Min(part.Length, LineBytesMax - _lineBytes);
        _isCut |= room < part.Length;
        if (room > 0)
        {
            _line ??= session.Loop.Buffers.Rent(LineBytesMax);
            part[..room].CopyTo(_line.AsSpan(_lineBytes));
            _lineBytes += room;
        }
    }

    private void EndLine()
    {
        if (_lineBytes > 0)
        {
            if (MayWrite())
            {
                _written++;
                var text = Encoding.UTF8.GetString(_line.AsSpan(0, _lineBytes)).TrimEnd('\r');
                session.Shard.Events.ChildSaid(session, _process, _isCut ? text + "…" : text, TakeSuppressed());
            }
            else
            {
                _suppressed++;
            }
        }

        _lineBytes = 0;
        _isCut = false;
    }

    private bool MayWrite()
    {
        if (session.Loop.NowMs - _windowMs >= WindowMs)
        {
            _windowMs = session.Loop.NowMs;
            _written = 0;
        }

        return _written < linesPerSecond;
    }
}

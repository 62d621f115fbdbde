using System.Runtime.CompilerServices;

namespace Router.Sessions;

/// <summary>
/// Payloads handled in one turn: on UDP one datagram each, in order of arrival; on a stream the next bytes, one
/// payload.
/// </summary>
/// <remarks>
/// The bytes are the router's and valid until the handler returns; a ref struct, so that the compiler holds it to that.
/// </remarks>
public readonly ref struct PayloadBatch
{
    private readonly DatagramRun? _run;
    private readonly ReadOnlySpan<byte> _single;

    internal PayloadBatch(DatagramRun run)
    {
        _run = run;
        Count = run.Count;
    }

    internal PayloadBatch(ReadOnlySpan<byte> single)
    {
        _single = single;
        Count = 1;
    }

    /// <summary>Payloads in the batch, at least 1.</summary>
    public int Count { get; }

    /// <summary>The first payload, without it counting as given to the handler.</summary>
    internal ReadOnlySpan<byte> First => _run is null ? _single : _run.First;

    /// <summary>Goes over the payloads in the order in which they came.</summary>
    public Enumerator GetEnumerator() => new(_run, _single, Count);

    /// <summary>Goes over the payloads in the order in which they came.</summary>
    public ref struct Enumerator
    {
        private readonly DatagramRun? _run;
        private readonly ReadOnlySpan<byte> _single;
        private int _left;
        private int _place;

        internal Enumerator(DatagramRun? run, ReadOnlySpan<byte> single, int count)
        {
            _run = run;
            _single = single;
            _left = count;
            _place = -1;
        }

        /// <summary>The payload at hand; valid until the handler's call returns.</summary>
        public readonly ReadOnlySpan<byte> Current
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => _run is null ? _single : _run.PayloadAt(_place);
        }

        /// <summary>Goes to the next payload; false after the last.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool MoveNext()
        {
            if (--_left < 0)
            {
                return false;
            }

            if (_run is not null)
            {
                _place = _run.HandOut(_place);
            }

            return true;
        }
    }
}

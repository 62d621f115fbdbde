using Npgsql;

namespace Router.Cluster.Checkpoints;

/// <summary>A server process that works for a connection.</summary>
internal sealed record PostgresBackend(int Id, DateTime Start);

/// <summary>A connection, from the first try to make it on.</summary>
/// <remarks>One that takes too long to make is given up, and goes on being made: what it was to be asked must not be
/// done then, behind what its successor was asked.</remarks>
internal sealed class PostgresLink
{
    private const int Making = 0, Used = 1, GivenUp = 2;

    private int _state = Making;

    public NpgsqlConnection? Connection { get; set; }

    public PostgresBackend? Backend { get; set; }

    /// <summary>It has been asked for work.</summary>
    public bool IsUsed => Volatile.Read(ref _state) == Used;

    /// <summary>It is about to be asked for work. Any thread.</summary>
    /// <returns>False if it was given up, and must be asked for nothing.</returns>
    public bool TryUse() => Interlocked.CompareExchange(ref _state, Used, Making) == Making;

    /// <summary>Any thread.</summary>
    /// <returns>False if it may have been asked for work.</returns>
    public bool TryGiveUp() => Interlocked.CompareExchange(ref _state, GivenUp, Making) == Making;
}

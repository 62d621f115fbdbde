namespace Router.Configuration.Hocon;

/// <summary>A text that is not HOCON, cannot be resolved, or holds another type than was asked for.</summary>
/// <remarks><see cref="Exception.Message"/> is <c>file:line:column: reason</c>.</remarks>
internal sealed class HoconException : Exception
{
    public HoconException(HoconOrigin origin, string reason) : base($"{origin}: {reason}")
    {
        Origin = origin;
        Reason = reason;
    }

    public HoconOrigin Origin { get; }

    /// <summary>The message without the origin.</summary>
    public string Reason { get; }
}

namespace Router.Configuration.Hocon;

/// <summary>What a text may cost. Beyond any of these it is refused, at the place that went too far.</summary>
internal static class HoconLimits
{
    /// <summary>Brackets open at once, over all included files; also the depth of the resolved tree.</summary>
    public const int Depth = 512;

    /// <summary>Files open at once; the reference implementation's figure.</summary>
    public const int IncludeDepth = 50;

    /// <summary>Files read for one configuration: two includes of each other's copy double at every level.</summary>
    public const int Includes = 1_000;

    /// <summary>Bytes read for one configuration, all files together.</summary>
    public const long Bytes = 16L << 20;

    /// <summary>
    /// Keys and values read for one configuration; an object counts as <see cref="ObjectSize"/>. A value takes some
    /// 200 bytes, so that 512 MiB suffice for the worst text.
    /// </summary>
    public const int Values = 1_250_000;

    /// <summary>What an object takes, in values.</summary>
    public const int ObjectSize = 3;

    /// <summary>What a field or element of the resolved tree takes off the budget of <see cref="Weight"/>.</summary>
    public const int FieldCost = 16;

    /// <summary>Resolutions of one configuration: each is begun anew when optional cycles were found.</summary>
    public const int Passes = 8;

    /// <summary>Entries of one key above which they are evaluated from the lowest up, not by recursion.</summary>
    public const int LongStack = 128;

    /// <summary>Evaluations inside each other: a chain of substitutions, or one key appended to so often.</summary>
    public const int ResolutionDepth = 10_000;

    /// <summary>Nodes and characters of the resolved tree as printed, and elements copied on the way to it.</summary>
    public const long Weight = 16L << 20;
}

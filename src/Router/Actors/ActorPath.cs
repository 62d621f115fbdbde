namespace Router.Actors;

/// <summary>The place of an actor in its system's tree, printed as <c>akka://system/user/a/b</c>.
/// Two paths are equal when they print the same: the incarnation (<see cref="Uid"/>) does not count.</summary>
public sealed class ActorPath : IEquatable<ActorPath>
{
    /// <summary>The <see cref="Uid"/> of a path that names no particular incarnation.</summary>
    public const int UndefinedUid = 0;

    private const string NameSymbols = "-_.*$+:@&=,!~';()";
    private const int NameLengthMax = 1024;

    private readonly ActorPath? _parent;

    private ActorPath(string name, ActorPath? parent, int uid)
    {
        Name = name;
        _parent = parent;
        Uid = uid;
    }

    /// <summary>The last element; empty for the root.</summary>
    public string Name { get; }

    /// <summary>The path above; the root's parent is the root.</summary>
    public ActorPath Parent => _parent ?? this;

    /// <summary>The incarnation, unique among the actors a system has had under this path.</summary>
    public int Uid { get; }

    /// <summary>The names from below the root down to this one.</summary>
    public IReadOnlyList<string> Elements
    {
        get
        {
            var elements = new List<string>();
            for (var path = this; path._parent is not null; path = path._parent)
            {
                elements.Add(path.Name);
            }

            elements.Reverse();
            return elements;
        }
    }

    public static ActorPath operator /(ActorPath path, string name) => path.Child(name, UndefinedUid);

    public static bool operator ==(ActorPath? left, ActorPath? right) => left?.Equals(right) ?? right is null;

    public static bool operator !=(ActorPath? left, ActorPath? right) => !(left == right);

    /// <summary>Whether an actor may be given this name: ASCII letters, digits, the symbols
    /// <c>-_.*$+:@&amp;=,!~';()</c> and %-escapes; not empty, not starting with '$'.</summary>
    public static bool IsValidPathElement(string name)
    {
        if (string.IsNullOrEmpty(name) || name[0] == '$' || name.Length > NameLengthMax)
        {
            return false;
        }

        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            if (char.IsAsciiLetterOrDigit(c) || NameSymbols.Contains(c))
            {
                continue;
            }

            var escaped = c == '%' && i + 2 < name.Length
                && char.IsAsciiHexDigit(name[i + 1]) && char.IsAsciiHexDigit(name[i + 2]);
            if (!escaped)
            {
                return false;
            }

            i += 2;
        }

        return true;
    }

    /// <summary>The path without <c>akka://system</c>: <c>/user/a/b</c>.</summary>
    public string ToStringWithoutAddress() => "/" + string.Join('/', Elements);

    public override string ToString()
    {
        var root = this;
        while (root._parent is not null)
        {
            root = root._parent;
        }

        return root.Name + ToStringWithoutAddress();
    }

    public bool Equals(ActorPath? other)
    {
        var left = this;
        var right = other;
        while (left is not null && right is not null)
        {
            if (ReferenceEquals(left, right))
            {
                return true;
            }

            if (left.Name != right.Name)
            {
                return false;
            }

            left = left._parent;
            right = right._parent;
        }

        return left is null && right is null;
    }

    public override bool Equals(object? obj) => Equals(obj as ActorPath);

    public override int GetHashCode() => HashCode.Combine(Name, _parent?.Name);

    internal static ActorPath Root(string systemName) => new("akka://" + systemName, parent: null, UndefinedUid);

    internal ActorPath Child(string name, int uid) => new(name, this, uid);
}

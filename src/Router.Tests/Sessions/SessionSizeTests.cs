using System.Reflection;
using System.Runtime.CompilerServices;
using Router.Loop;
using Router.Sessions;

namespace Router.Tests.Sessions;

/// <summary>A million UDP sessions are a million of these objects: none may grow unnoticed.</summary>
public sealed class SessionSizeTests
{
    private const BindingFlags Hidden = BindingFlags.NonPublic;

    public static TheoryData<string, int> Sizes => new()
    {
        { nameof(SessionContext), 240 },
        { nameof(SessionActor), 72 },
        { nameof(SessionQueue), 48 },
        { "SessionCell", 176 },
        { "SessionRef", 64 },
        { nameof(SessionExtras), 96 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void An_object_of_a_udp_session_is_no_larger_than_it_was(string type, int bytes)
    {
        Assert.InRange(SizeOf(Type(type)), 1, bytes);
    }

    private static Type Type(string name) =>
        typeof(SessionActors).GetNestedType(name, Hidden)
        ?? typeof(SessionContext).Assembly.GetTypes().Single(type => type.Name == name);

    private static long SizeOf(Type type) =>
        Allocations.Of(() => GC.KeepAlive(RuntimeHelpers.GetUninitializedObject(type)));
}

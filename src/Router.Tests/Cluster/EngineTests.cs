using System.Reflection;
using System.Runtime.CompilerServices;

namespace Router.Tests.Cluster;

/// <summary>Packages that build together may still not run together: a method that calls one which another package does
/// not have any more is found when it is first called. So all methods of the engine are compiled once.</summary>
public sealed class EngineTests
{
    /// <summary>What does not compile, and why it may stay so. The beginnings of full names.</summary>
    private static readonly Dictionary<string, string> Broken = new(StringComparer.Ordinal)
    {
        ["Akka.DistributedData.LightningDB."] =
            "wants LightningDB 0.16 and the feed has 0.23: durable.keys = [], and remember-entities = off",
    };

    public static TheoryData<string> Assemblies => new(Names);

    private static IEnumerable<string> Names =>
        Directory.GetFiles(AppContext.BaseDirectory, "Akka*.dll")
            .Select(static file => Path.GetFileNameWithoutExtension(file))
            .Where(static name => !name.Contains("TestKit", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Every_method_compiles(string assembly)
    {
        var failed = FailuresOf(Assembly.Load(assembly)).ToList();

        Assert.DoesNotContain(failed, static one =>
            !Broken.Keys.Any(name => one.StartsWith(name, StringComparison.Ordinal)));
    }

    [Fact]
    public void What_is_said_to_be_broken_is_still()
    {
        var all = Names.SelectMany(static name => FailuresOf(Assembly.Load(name))).ToList();

        Assert.All(Broken.Keys, name => Assert.Contains(
            all, one => one.StartsWith(name, StringComparison.Ordinal)));
    }

    private static IEnumerable<string> FailuresOf(Assembly assembly)
    {
        const BindingFlags Declared = BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static
            | BindingFlags.Public | BindingFlags.NonPublic;
        foreach (var type in TypesOf(assembly))
        {
            if (type.ContainsGenericParameters)
            {
                continue;   // compiled for what they are used with
            }

            const MethodImplAttributes OfRuntime = MethodImplAttributes.Runtime | MethodImplAttributes.InternalCall;
            foreach (var method in type.GetMethods(Declared).Cast<MethodBase>().Concat(type.GetConstructors(Declared)))
            {
                var hasCode = !method.IsAbstract && !method.ContainsGenericParameters
                    && (method.MethodImplementationFlags & OfRuntime) == 0;
                if (hasCode && Compile(method) is { } fault)
                {
                    yield return $"{type.FullName}.{method.Name}: {fault}";
                }
            }
        }
    }

    private static string? Compile(MethodBase method)
    {
        try
        {
            RuntimeHelpers.PrepareMethod(method.MethodHandle);
            return null;
        }
        catch (Exception e) when (
            e is MissingMemberException or TypeLoadException or IOException or BadImageFormatException)
        {
            return e.Message;
        }
    }

    private static IEnumerable<Type> TypesOf(Assembly assembly)
    {
        try
        {
            return assembly.GetTypes();
        }
        catch (ReflectionTypeLoadException some)
        {
            return some.Types.OfType<Type>();
        }
    }
}

using System.Reflection;
using System.Runtime.Loader;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Configuration;

/// <summary>What routes are built with. Faults are gathered, so that one does not hide the others.</summary>
internal sealed class RouteEnvironment(ProgramParts parts, TimeProvider time)
{
    public TimeProvider Time => time;

    /// <summary>The routes built so far, by name.</summary>
    public Dictionary<string, Route> Routes { get; } = new(StringComparer.Ordinal);

    /// <summary>Upstreams of routes that are no proxies, by the route's name.</summary>
    public Dictionary<string, UpstreamGroup> Groups { get; } = new(StringComparer.Ordinal);

    /// <summary>A line each.</summary>
    public List<string> Faults { get; } = [];

    private string Hint => parts == ProgramParts.None
        ? ". This is the router alone: a program that adds it checks the file by RouterConfiguration.Check(...)"
        : "";

    /// <summary>Finds what makes the part of a program that a route names.</summary>
    /// <param name="kind">What it is, for messages.</param>
    /// <param name="name">As the program added it; null if it is named by its class.</param>
    /// <param name="className"><c>Namespace.Type, Assembly</c>.</param>
    /// <returns>Null if that is a fault.</returns>
    public Func<T>? Find<T>(RouteOptions route, string kind, string? name, string? className)
        where T : class
    {
        if (name is null)
        {
            return FindClass<T>(route, className!);
        }

        var found = parts.Find<T>(name);
        if (found is null)
        {
            Refuse(route, $"names {kind} '{name}', which the program did not add; added: {parts.NamesOf<T>()}{Hint}");
        }
        else if (found.Target is ServiceFactory factory && factory.FindFault() is { } fault)
        {
            Refuse(route, $"{kind} '{name}' cannot be made: {fault}; its constructor takes services of the host");
            return null;
        }

        return found;
    }

    /// <returns>Null, so that a route's <c>Build</c> may return it.</returns>
    public Route? Refuse(RouteOptions route, string why)
    {
        Faults.Add(new ConfigurationFault(route.Section.Origin, $"router.routes.{route.Name}", why).ToString());
        return null;
    }

    private Func<T>? FindClass<T>(RouteOptions route, string name)
        where T : class
    {
        var type = Type.GetType(name, LoadBesideProgram, typeResolver: null, throwOnError: false);
        if (type is null)
        {
            Refuse(route, $"class '{name}' is not found; write it as 'Namespace.Type, Assembly'{Hint}");
            return null;
        }

        if (!type.IsSubclassOf(typeof(T)) || type.IsAbstract || type.GetConstructor(Type.EmptyTypes) is null)
        {
            Refuse(route, $"class '{name}' is no {typeof(T).Name} with a public constructor without parameters");
            return null;
        }

        return () => (T)Activator.CreateInstance(type)!;
    }

    /// <summary>Assemblies with handlers lie beside the program, which was built without knowing them.</summary>
    private static Assembly? LoadBesideProgram(AssemblyName name)
    {
        var path = Path.Combine(AppContext.BaseDirectory, name.Name + ".dll");
        try
        {
            return File.Exists(path) ? AssemblyLoadContext.Default.LoadFromAssemblyPath(path) : Assembly.Load(name);
        }
        catch (Exception e) when (e is IOException or BadImageFormatException)
        {
            return null;   // reported as a class that is not found
        }
    }
}

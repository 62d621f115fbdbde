using Router.Configuration.Hocon;

namespace Router.CommandLine;

/// <summary>Prints resolved values as HOCON that reads back as the same values.</summary>
internal static class HoconText
{
    /// <summary>Writes the fields of a root object, a line each, without the braces around them.</summary>
    public static void Write(TextWriter writer, HoconObject root) => WriteFields(writer, root, 0);

    /// <remarks>Values nest no deeper than the parser allows, so recursion is safe.</remarks>
    private static void WriteFields(TextWriter writer, HoconObject fields, int depth)
    {
        foreach (var field in fields.Fields)
        {
            Indent(writer, depth);
            writer.Write(IsPlain(field.Name) ? field.Name : HoconJson.Quote(field.Name));
            writer.Write(field.Value is HoconObject ? " " : " = ");
            WriteValue(writer, field.Value, depth);
            writer.Write('\n');
        }
    }

    private static void WriteValue(TextWriter writer, HoconValue value, int depth)
    {
        switch (value)
        {
            case HoconObject { Fields.Count: > 0 } nested:
                writer.Write("{\n");
                WriteFields(writer, nested, depth + 1);
                Indent(writer, depth);
                writer.Write('}');
                break;
            case HoconArray array when array.Elements.Any(static element => element is not HoconScalar):
                writer.Write("[\n");
                foreach (var element in array.Elements)
                {
                    Indent(writer, depth + 1);
                    WriteValue(writer, element, depth + 1);
                    writer.Write('\n');
                }

                Indent(writer, depth);
                writer.Write(']');
                break;
            case HoconArray array:
                writer.Write('[');
                writer.Write(string.Join(", ", array.Elements.Select(static element => TextOf(element))));
                writer.Write(']');
                break;
            default:
                writer.Write(TextOf(value));
                break;
        }
    }

    /// <summary>Scalars and empty objects are in HOCON what they are in JSON.</summary>
    private static string TextOf(HoconValue value) => HoconJson.Print(value, indented: false);

    private static bool IsPlain(string key) =>
        key is not ("" or "include")
        && char.IsAsciiLetter(key[0])
        && key.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static void Indent(TextWriter writer, int depth) => writer.Write(new string(' ', depth * 2));
}

using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;

namespace Router.Tests.Tidy;

/// <summary>Which types a compiled type uses: in its signatures, and in the code of its methods.</summary>
internal static class TypeUses
{
    private const BindingFlags Declared =
        BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic
        | BindingFlags.DeclaredOnly;

    private static readonly OperandType[] Tokens =
        [OperandType.InlineField, OperandType.InlineMethod, OperandType.InlineTok, OperandType.InlineType];

    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(static field => (OpCode)field.GetValue(null)!)
        .ToDictionary(static code => code.Value);

    /// <summary>The outermost types of the same assembly that <paramref name="type"/> uses, itself left out.</summary>
    public static IEnumerable<Type> Of(Type type) =>
        All(type)
            .SelectMany(Flatten)
            .Where(used => used.Assembly == type.Assembly)
            .Select(Outermost)
            .Where(used => used != Outermost(type))
            .Distinct();

    public static Type Outermost(Type type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    private static IEnumerable<Type?> All(Type type) =>
    [
        type.BaseType,
        .. type.GetInterfaces(),
        .. type.GetGenericArguments()
            .Where(static argument => argument.IsGenericParameter)
            .SelectMany(static argument => argument.GetGenericParameterConstraints()),
        .. type.GetFields(Declared).Select(static field => field.FieldType),
        .. type.GetMethods(Declared).Cast<MethodBase>().Concat(type.GetConstructors(Declared)).SelectMany(InMethod),
    ];

    private static IEnumerable<Type?> InMethod(MethodBase method) =>
    [
        .. InSignature(method),
        .. method.GetMethodBody()?.LocalVariables.Select(static local => local.LocalType) ?? [],
        .. InCode(method, method.GetMethodBody()?.GetILAsByteArray() ?? []),
    ];

    private static IEnumerable<Type?> InSignature(MethodBase method) =>
    [
        method.DeclaringType,
        (method as MethodInfo)?.ReturnType,
        .. method.GetParameters().Select(static parameter => parameter.ParameterType),
        .. method.IsGenericMethod ? method.GetGenericArguments() : [],
    ];

    private static IEnumerable<Type?> InCode(MethodBase method, byte[] code)
    {
        for (var at = 0; at < code.Length;)
        {
            var value = code[at] == 0xFE ? unchecked((short)((0xFE << 8) | code[at + 1])) : code[at];
            var op = Codes[value];
            at += op.Size;
            if (Tokens.Contains(op.OperandType))
            {
                foreach (var type in Resolve(method, BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(at))))
                {
                    yield return type;
                }
            }

            at += SizeOf(op.OperandType, code.AsSpan(at));
        }
    }

    private static int SizeOf(OperandType operand, ReadOnlySpan<byte> code) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BinaryPrimitives.ReadInt32LittleEndian(code)),
        _ => 4,
    };

    private static IEnumerable<Type?> Resolve(MethodBase method, int token) =>
        method.Module.ResolveMember(
            token,
            method.DeclaringType!.GetGenericArguments(),
            method.IsGenericMethod ? method.GetGenericArguments() : []) switch
        {
            Type type => [type],
            FieldInfo field => [field.DeclaringType, field.FieldType],
            MethodBase used => InSignature(used),
            _ => [],
        };

    private static IEnumerable<Type> Flatten(Type? type) => type switch
    {
        null => [],
        { HasElementType: true } => Flatten(type.GetElementType()),
        { IsGenericType: true } =>
            type.GetGenericArguments().SelectMany(Flatten).Append(type.GetGenericTypeDefinition()),
        _ => [type],
    };
}

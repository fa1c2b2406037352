using System.Text.Json;
using System.Text.Json.Serialization;
using Quorate.Core.Model;

namespace Quorate.Server.Http;

/// <summary>
/// Writes ids, terms and indexes by one rule: what is a number is a number (nodes, groups, keyspaces, terms, indexes);
/// a replica is its node's number and its incarnation there, and nothing (null) when there is none; a cluster's id and
/// a run of slots are texts.
/// </summary>
internal sealed class IdConverterFactory : JsonConverterFactory
{
    private static readonly Dictionary<Type, JsonConverter> Converters = new()
    {
        [typeof(NodeId)] = new Converter<NodeId>(static (writer, id) => writer.WriteNumberValue(id.Value)),
        [typeof(GroupId)] = new Converter<GroupId>(static (writer, id) => writer.WriteNumberValue(id.Value)),
        [typeof(Term)] = new Converter<Term>(static (writer, term) => writer.WriteNumberValue(term.Value)),
        [typeof(LogIndex)] = new Converter<LogIndex>(static (writer, index) => writer.WriteNumberValue(index.Value)),
        [typeof(ReplicaId)] = new Converter<ReplicaId>(WriteReplica),
        [typeof(Guid)] = new Converter<Guid>(static (writer, id) => writer.WriteStringValue(id.ToString("N"))),
        [typeof(SlotRange)] = new Converter<SlotRange>(
            static (writer, slots) => writer.WriteStringValue($"{slots.First.Value}-{slots.Last.Value}")),
    };

    public override bool CanConvert(Type typeToConvert) => Converters.ContainsKey(typeToConvert);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        Converters[typeToConvert];

    private static void WriteReplica(Utf8JsonWriter writer, ReplicaId id)
    {
        if (id.IsNone)
        {
            writer.WriteNullValue();
            return;
        }

        writer.WriteStartObject();
        writer.WriteNumber("node", id.Node);
        writer.WriteNumber("incarnation", id.Incarnation);
        writer.WriteEndObject();
    }

    private sealed class Converter<T>(Action<Utf8JsonWriter, T> write) : JsonConverter<T>
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("The status is only written.");

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
            write(writer, value);
    }
}

using System.Buffers.Binary;
using Google.Protobuf;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Node.Cluster.Forming.Wire;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Wire;

namespace Quorate.Node.Cluster.Forming;

/// <summary>
/// How a node comes to belong to a cluster, by addresses, since nodes have no ids before that. Run at each start: a
/// folder that belongs to a cluster says so at once. It is fed inputs and tells its host what follows.
/// <para>The node whose own address is the first seed founds, once it has heard from every seed, and from as many fresh
/// instances as are expected, all of which name the same founder and have asked everybody in vain. A seed that is
/// silent may belong to a cluster. All others ask until someone knows them as a founder or lets them join. So nobody
/// has to be invited, and whoever has the record can hand it on.</para>
/// <para>Invariants: an instance is noted durably before it is named to anyone, and belongs to one cluster for ever;
/// the founding is durable before anyone hears of it; who has heard of a cluster founds none.</para>
/// </summary>
public sealed class Formation
{
    private const int NoteBytesMax = 4 * 1024 * 1024;
    private const int ClusterBytes = 16;

    private readonly FormationPlace _place;
    private readonly FormationSettings _settings;
    private readonly IFormationHost _host;
    private readonly NoteFile _file;
    private readonly SortedDictionary<string, Fresh> _fresh = new(StringComparer.Ordinal);
    private FormationNote? _note;
    private Instant _askAt = Instant.Never;
    private Instant _sayAt;
    private string _said = "";
    private uint _rounds;
    private bool _joins;
    private bool _isWriting;
    private bool _hasEnded;

    public Formation(FormationPlace place, FormationSettings settings, IFormationHost host)
    {
        _place = place;
        _settings = settings;
        _host = host;
        _file = new(place.Disk, NoteBytesMax, End);
    }

    /// <summary>The folder belongs to a cluster, durably.</summary>
    public bool IsFormed { get; private set; }

    private bool MayFound => _place is { Seeds.Count: > 0, Self.ReadReplica: false }
        && string.Equals(_place.Seeds[0], _place.Self.PeerAddress, StringComparison.Ordinal);

    /// <summary>Reads the disk and goes on from where the last start came to.</summary>
    public void Start() => _file.Read(note =>
    {
        if (note is { Cluster.Length: > 0 })
        {
            Become(note);
        }
        else if (_place.Problem(_settings) is { } problem)
        {
            End(problem);
        }
        else if (note is not null)
        {
            FormationNote kept = note.Clone();
            kept.Self = Self(note.Self.Instance);
            _note = kept;
            Begin();
        }
        else
        {
            Write(new FormationNote { Self = Self(ClusterIdentity.DrawInstance(_place.Entropy)) }, Begin);
        }
    });

    /// <summary>The answer to another node's question.</summary>
    public byte[] Answer(ReadOnlySpan<byte> question)
    {
        if (_hasEnded || _note is null || Messages.ParseOrNull(FormationQuestion.Parser, question) is not { } asked)
        {
            return [];
        }

        var answer = new FormationAnswer
        {
            Self = _note.Self,
            Founder = FounderAddress(),
            Expect = (uint)_place.Expect,
            Joins = _joins,
            Rounds = _rounds,
        };
        if (IsFormed)
        {
            answer.Cluster = _note.Cluster;
            if (_note.IsFounder
                && _note.Nodes.FirstOrDefault(node => node.Instance == asked.Self?.Instance) is { } founder)
            {
                answer.Node = founder.Id;
                answer.IsFounder = true;
                answer.Nodes.AddRange(_note.Nodes);
            }
        }
        else
        {
            Note(asked.Self, new(asked.Founder, asked.Expect, asked.Joins, asked.Rounds));
        }

        return answer.ToByteArray();
    }

    /// <summary>A node has answered what it was asked.</summary>
    public void Answered(string address, ReadOnlySpan<byte> answer)
    {
        if (IsFormed && FormationSentences.OtherCluster(_place, _note!, address, answer) is { } other)
        {
            Refuse(other);
        }

        if (_hasEnded || IsFormed || _isWriting || _note is null
            || Messages.ParseOrNull(FormationAnswer.Parser, answer) is not { Self: not null } answered)
        {
            return;
        }

        if (answered.Self.Instance == _note.Self.Instance
            && string.Equals(answered.Self.PeerAddress, _place.Self.PeerAddress, StringComparison.Ordinal))
        {
            Refuse($"The seed {address} is this node itself, which others know as {_place.Self.PeerAddress}: say "
                + $"--advertise-peer {address}, or name it {_place.Self.PeerAddress} in the --seeds of all nodes.");
        }
        else if (answered.Cluster.Length == 0)
        {
            Note(answered.Self, new(answered.Founder, answered.Expect, answered.Joins, answered.Rounds));
            FoundWhenComplete();
        }
        else if (answered.Node != 0 && answered.Cluster.Length == ClusterBytes)
        {
            FormationNote note = _note.Clone();
            note.Cluster = answered.Cluster;
            note.Node = answered.Node;
            note.IsFounder = answered.IsFounder;
            note.Nodes.AddRange(answered.Nodes);
            Write(note, () => Become(note));
        }
        else if (answered.Refusal.Length > 0)
        {
            Refuse($"The cluster at {address} does not let this node join: {answered.Refusal}");
        }
        else
        {
            _joins = true;
            Say($"There is a cluster at {address}: this node asks to join it.");
        }
    }

    /// <summary>The deadline that was set has come. Harmless at any other time.</summary>
    public void Tick()
    {
        if (_hasEnded || IsFormed || _host.Now < _askAt)
        {
            return;
        }

        Ask();
        FoundWhenComplete();
        if (!IsFormed && !_isWriting && !_joins)
        {
            Say(WaitsFor());
        }
    }

    private void Begin()
    {
        _askAt = _host.Now;
        _sayAt = _host.Now;
        FoundWhenComplete();
        if (!IsFormed && !_isWriting)
        {
            _host.SetDeadline(_askAt);
        }
    }

    private void Ask()
    {
        _rounds++;
        _askAt = _host.Now + _settings.AskInterval;
        _host.SetDeadline(IsFormed ? Instant.Never : _askAt);
        byte[] question = new FormationQuestion
        {
            Self = _note!.Self,
            Founder = FounderAddress(),
            Expect = (uint)_place.Expect,
            Joins = _joins,
            Rounds = _rounds,
        }.ToByteArray();
        foreach (string address in _place.Seeds.Concat(_fresh.Keys).Distinct(StringComparer.Ordinal))
        {
            if (!string.Equals(address, _place.Self.PeerAddress, StringComparison.Ordinal))
            {
                _host.Ask(address, question);
            }
        }
    }

    private void Note(NodeRecord? node, Told told)
    {
        // A read replica founds nothing.
        if (node is not { Instance: > 0, PeerAddress.Length: > 0, ReadReplica: false }
            || string.Equals(node.PeerAddress, _place.Self.PeerAddress, StringComparison.Ordinal)
            || (_fresh.Count >= _settings.PeersMax && !_fresh.ContainsKey(node.PeerAddress)))
        {
            return;
        }

        _fresh[node.PeerAddress] = new(node, told, _host.Now);
    }

    private void FoundWhenComplete()
    {
        if (!MayFound || _joins || _isWriting || IsFormed || _hasEnded
            || (_fresh.Values.Any(Joins) && Guards.WhoKnowsAClusterFoundsNone))
        {
            return;
        }

        string[] order = [.. _place.Seeds];
        NodeRecord[] nodes =
        [
            _note!.Self,
            .. _fresh.Values.Where(Counts)
                .Select(fresh => fresh.Node)
                .OrderBy(node => Array.IndexOf(order, node.PeerAddress) is int at and >= 0 ? at : order.Length)
                .ThenBy(node => node.PeerAddress, StringComparer.Ordinal)
                .Take(_place.Expect - 1),
        ];
        bool isAlone = _place is { Expect: 1, Seeds.Count: 1 };
        bool isEverySeedHeard = SilentSeeds(Counts).Length == 0 || !Guards.EverySeedIsHeardAtFounding;
        if (nodes.Length < _place.Expect || !isEverySeedHeard || (_rounds < _settings.RoundsMin && !isAlone))
        {
            return;
        }

        byte[] cluster = new byte[ClusterBytes];
        do
        {
            _place.Entropy.Fill(cluster);
        }
        while (BinaryPrimitives.ReadUInt64LittleEndian(cluster) == 0);
        var note = new FormationNote
        {
            Self = _note.Self,
            Cluster = ByteString.CopyFrom(cluster),
            Node = 1,
            IsFounder = true,
        };
        for (int i = 0; i < nodes.Length; i++)
        {
            NodeRecord node = nodes[i].Clone();
            node.Id = (uint)i + 1;
            note.Nodes.Add(node);
        }

        Write(note, () => Become(note));
    }

    /// <summary>The seeds that have not said that they belong to no cluster.</summary>
    private string[] SilentSeeds(Func<Fresh, bool> isHeard) =>
    [
        .. _place.Seeds.Where(seed => !string.Equals(seed, _place.Self.PeerAddress, StringComparison.Ordinal)
            && !(_fresh.TryGetValue(seed, out Fresh? fresh) && isHeard(fresh))),
    ];

    /// <summary>It is fresh, lives, and would be founded by this node.</summary>
    private bool Counts(Fresh fresh) => IsLive(fresh)
        && IsTheSame(fresh.Told)
        && fresh.Told.Rounds >= _settings.RoundsMin;

    private bool IsTheSame(Told told) => told.Expect == _place.Expect
        && string.Equals(told.Founder, FounderAddress(), StringComparison.Ordinal);

    private bool Joins(Fresh fresh) => fresh.Told.Joins && IsLive(fresh);

    private bool IsLive(Fresh fresh) => _host.Now - fresh.HeardAt < _settings.FreshFor;

    private void Become(FormationNote note)
    {
        if (note.Cluster.Length != ClusterBytes || note.Node == 0 || note.Self is null)
        {
            End(NoteFile.Damaged);
            return;
        }

        _note = note;
        IsFormed = true;
        _host.SetDeadline(Instant.Never);
        if (_place.Self.ReadReplica)
        {
            // Is it the cluster that it was told to follow?
            Ask();
        }

        _host.Formed(new ClusterIdentity(
            new Guid(note.Cluster.Span), new(note.Node), 1, note.Self.Instance, [.. note.Nodes], note.IsFounder));
    }

    private void Write(FormationNote note, Action done)
    {
        _isWriting = true;
        if (!Guards.FoundingIsDurableFirst && note.Cluster.Length > 0)
        {
            _note = note;
            done();
        }

        _file.Write(note, isDone =>
        {
            _isWriting = false;
            if (IsFormed)
            {
                return;
            }

            if (!isDone)
            {
                End($"The disk is full: {NoteFile.Name} could not be written. Free some space, then start again.");
                return;
            }

            _note = note;
            done();
        });
    }

    private string WaitsFor() => FormationSentences.WaitsFor(
        _place,
        FounderAddress(),
        _fresh.Values.Count(IsLive),
        _fresh.Values.FirstOrDefault(fresh => IsLive(fresh) && !IsTheSame(fresh.Told)),
        SilentSeeds(IsLive));

    /// <summary>The same sentence is said from time to time, another one at once.</summary>
    private void Say(string sentence)
    {
        bool isNew = !string.Equals(sentence, _said, StringComparison.Ordinal);
        if (isNew || _host.Now >= _sayAt)
        {
            _said = sentence;
            _sayAt = _host.Now + _settings.SayInterval;
            _host.Waits(sentence);
        }
    }

    private string FounderAddress() => _place.Seeds.Count == 0 ? "" : _place.Seeds[0];

    private NodeRecord Self(ulong instance)
    {
        NodeRecord self = _place.Self.Clone();
        self.Instance = instance;
        self.Id = 0;
        return self;
    }

    private void Refuse(string sentence) => End(sentence, _host.Refused);

    private void End(string sentence) => End(sentence, _host.End);

    private void End(string sentence, Action<string> told)
    {
        if (!_hasEnded)
        {
            _hasEnded = true;
            told(sentence);
        }
    }
}

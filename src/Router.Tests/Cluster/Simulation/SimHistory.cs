using System.Runtime.CompilerServices;
using Router.Cluster.Identities;

namespace Router.Tests.Cluster.Simulation;

/// <summary>What a run did wrong.</summary>
internal sealed class SimViolation(string what) : Exception(what);

/// <summary>What has happened, and what must hold of it.</summary>
internal sealed class SimHistory(SimCluster cluster, bool isLogged)
{
    private readonly Dictionary<string, Course> _courses = [];
    private readonly HashSet<int> _delivered = [];
    private readonly HashSet<int> _returned = [];
    private readonly HashSet<int> _told = [];
    private readonly HashSet<int> _asked = [];
    private readonly Dictionary<(SimSession, SimProcess), int> _lastTold = [];
    private readonly List<string> _lines = [];
    private TimeSpan? _fault;

    public int QueueDrops { get; set; }

    public int Attachments { get; private set; }

    public IReadOnlyList<string> Lines => _lines;

    private TimeSpan Now => cluster.Clock.Now;

    public static string Describe(object message) => message switch
    {
        Attach m => $"Attach {m.Identity} s{m.Session.Low} of {m.Place.Uid} live {m.LiveEpoch} rev {m.State.Revision}",
        Detach m => $"Detach {m.Identity} s{m.Session.Low} epoch {m.Epoch} rev {m.State.Revision}",
        Save m => $"Save {m.Identity} s{m.Session.Low} epoch {m.Epoch} rev {m.State.Revision}",
        Tell m => $"Tell {m.Identity} {m.Message} {(m.Ack is null ? "" : "asked")}",
        Undelivered m => $"Undelivered {m.Identity} s{m.Session.Low} {m.What.Message}",
        HasNone m => $"HasNone {m.Identity} {m.Place.Uid}",
        Attached m => $"Attached {m.Identity} s{m.Session.Low} epoch {m.Epoch} rev {m.State.Revision}",
        EpochIs m => $"EpochIs {m.Identity} s{m.Session.Low} {m.Epoch}",
        Supersede m => $"Supersede {m.Identity} s{m.Session.Low} by {m.By}",
        Over m => $"Over {m.Identity} s{m.Session.Low} by {m.By}",
        Detached m => $"Detached {m.Identity} s{m.Session.Low}",
        Pass m => $"Pass {m.Identity} s{m.Session.Low} {m.What.Message}",
        Kept m => $"Kept {m.Identity} s{m.Session.Low} rev {m.Revision} {m.IsKept}",
        _ => message.ToString()!,
    };

    public void Log([InterpolatedStringHandlerArgument("")] SimLine line)
    {
        if (isLogged)
        {
            _lines.Add($"{Now.TotalSeconds - 3600:0.0000} {line.Text}");
        }
    }

    public void Check(bool holds, [InterpolatedStringHandlerArgument("holds")] SimFinding finding)
    {
        if (!holds)
        {
            throw new SimViolation($"{cluster.Plan}: at {Now.TotalSeconds - 3600:0.0000} s: {finding.Text}");
        }
    }

    public void OnFault() => _fault = Now;

    /// <summary>No member was left: memory is empty.</summary>
    public void OnNewCluster() => OnFault();

    public void OnForgotten(string identity)
    {
        Log($"{identity} is forgotten");
        var course = Of(identity);
        (course.Epoch, course.RowEpoch, course.Replied) = (0, 0, 0);
        course.Counts.Clear();
    }

    /// <summary>The store has a row of this epoch now.</summary>
    public void OnRow(string identity, long epoch)
    {
        var course = Of(identity);
        Check(epoch >= course.RowEpoch, $"the store: epoch {epoch} of {identity} was written over {course.RowEpoch}");
        course.RowEpoch = epoch;
    }

    public void OnAttached(SimSession session, SimState state)
    {
        Attachments++;
        Log($"{session} is attached: epoch {session.Epoch}, counter {session.Counter}");
        var course = Of(session.Peer.Identity);
        var maker = course.All.FindIndex(one => one.Session.Id.Low == state.Maker);
        if (cluster.Plan.IsShared && maker >= 0)
        {
            var epoch = course.All[maker].Session.Epoch;
            var next = course.All.Skip(maker + 1).FirstOrDefault(one => one.Session.Epoch > epoch);
            Check(
                next.Session is null || state.At <= next.At,
                $"one course: {session} goes on from what s{state.Maker} made after {next.Session} was attached");
        }

        course.All.Add((session, Now));
        if (session.Process.MaySend)
        {
            Accept(session, course);
        }
    }

    /// <summary>From now on it alone may send. One that was attached while its member's fence was shut, since that is
    /// not in yet or out already, is looked at when it sends.</summary>
    private void Accept(SimSession session, Course course)
    {
        if (course.Latest is { } before)
        {
            Check(
                before.IsClosed || before.Process.IsDead || !before.Process.MaySend,
                $"one at a time: {before} of epoch {before.Epoch} may send, and {session} is attached");
        }

        if (cluster.Plan.IsShared)
        {
            Check(session.Epoch > course.Epoch, $"epochs grow: {session} got {session.Epoch} after {course.Epoch}");
        }

        course.Epoch = session.Epoch;
        CheckCounter(session, course);
        course.Latest = session;
    }

    public void OnEpoch(SimSession session, long epoch)
    {
        Log($"{session} has epoch {epoch} now");
        Check(epoch > session.Epoch, $"epochs grow: {session} got {epoch} after {session.Epoch}");
        var course = Of(session.Peer.Identity);
        if (course.Latest == session)
        {
            course.Epoch = epoch;
        }
    }

    public void OnCounted(SimSession session)
    {
        var course = Of(session.Peer.Identity);
        if (course.Latest == session)
        {
            course.Counts.Add((Now, session.Counter));
        }
    }

    public void OnSent(SimSession session, long? counter)
    {
        var course = Of(session.Peer.Identity);
        var isLater = cluster.Plan.IsShared
            ? session.Epoch > course.Epoch
            : course.All.FindLastIndex(one => one.Session == session)
                > course.All.FindLastIndex(one => one.Session == course.Latest);
        if (course.Latest != session && isLater)
        {
            Accept(session, course);
        }

        Check(
            course.Latest == session,
            $"one at a time: {session} of epoch {session.Epoch} sends, and {course.Latest} is attached");
        if (counter is { } sent)
        {
            course.Replied = Math.Max(course.Replied, sent);
        }
    }

    public void OnUnattached(SimSession session)
    {
        Log($"{session} could not be attached");
        Check(
            cluster.Healed is null || Now < cluster.Healed + TimeSpan.FromSeconds(8) + SimPlan.AttachTimeout,
            $"attached when healed: {session} was not");
    }

    public void OnTelling(SimTold told, bool isAsked) => (isAsked ? _asked : _told).Add(told.Number);

    /// <summary>Its entity was about to stop.</summary>
    public void OnDeaf(IToIdentity message)
    {
        if (message is Tell or Undelivered)
        {
            QueueDrops++;
        }
    }

    /// <summary>What is under way while an entity moves may come late.</summary>
    public void OnMove(string identity) => Of(identity).Moved = Now;

    private bool IsMovingLately(SimSession session) =>
        Of(session.Peer.Identity).Moved is { } moved && Now - moved < TimeSpan.FromSeconds(8);

    public void OnReturned(Tell tell) => _returned.Add(((SimTold)tell.Message).Number);

    public void OnAnswered(SimRef asker, Delivery delivery) =>
        Check(!_delivered.Contains(((SimTold)asker.Target).Number), $"at most once: told and {delivery}");

    /// <summary>The session was over when it got it.</summary>
    public void OnToldTooLate(SimTold told) => _told.Remove(told.Number);

    public void OnTold(SimSession session, SimTold told)
    {
        Check(_delivered.Add(told.Number), $"at most once: {session} was told {told.Number} again");
        if (cluster.Plan.Kind == SimKind.Calm && !_returned.Contains(told.Number) && !IsMovingLately(session))
        {
            var last = _lastTold.GetValueOrDefault((session, told.Teller));
            Check(told.Number > last, $"in order: {session} was told {told.Number} after {last}");
            _lastTold[(session, told.Teller)] = told.Number;
        }
    }

    /// <summary>All is healed and quiet.</summary>
    public void CheckEnd()
    {
        Check(
            cluster.Official.Up.Count() == cluster.Plan.Members
                && cluster.Running.All(static member => member.IsRunning),
            $"model: all members are back, and not {string.Join(' ', cluster.Official.Up)}");
        foreach (var identity in cluster.Identities)
        {
            var attached = cluster.Running.SelectMany(static member => member.Sessions.Values)
                .Where(session => session.Peer.Identity == identity && session.IsAttached).ToList();
            Check(attached.Count == 1, $"one at the end: {identity} has {string.Join(", ", attached)}");
            var entity = cluster.HomeOf(identity)?.Region.Find(identity);
            var owner = entity?.State.Owner;
            Check(
                owner?.Session == attached[0].Id && owner.Epoch == attached[0].Epoch,
                $"agreement: {attached[0]} has epoch {attached[0].Epoch}, its entity {owner}");
        }

        foreach (var member in cluster.Running)
        {
            Check(member.Hub.State.Waiting == 0, $"quiet hubs: {member.Hub.State.Waiting} wait at {member}");
        }

        Check(
            cluster.Running.Sum(static member => member.Hub.State.Attached) == cluster.Plan.Identities,
            $"agreement: hubs have too many");
        if (cluster.Plan is { Kind: SimKind.Calm, Loss: 0 })
        {
            var missing = _told.Where(number => !_delivered.Contains(number)).ToList();
            Check(
                missing.Count <= QueueDrops,
                $"exactly once: {string.Join(' ', missing)} are missing, and {QueueDrops} were dropped");
        }
    }

    /// <summary>What a session may have lost of what earlier ones have counted.</summary>
    private void CheckCounter(SimSession session, Course course)
    {
        var plan = cluster.Plan;
        if (plan.IsShared && plan.IsSync)
        {
            Check(
                session.Counter >= course.Replied,
                $"replied is kept: {session} goes on from {session.Counter}, and {course.Replied} was replied");
        }

        if (_fault is null && !plan.Forgets && course.Counts.Count > 0)
        {
            Check(
                session.Counter >= course.Counts[^1].Counter,
                $"roaming loses nothing: {session} goes on from {session.Counter} after {course.Counts[^1].Counter}");
        }

        if (plan.IsShared && plan.Kind == SimKind.Deaths && course.Latest is { } before)
        {
            // What had been counted an interval before its member's death, and some time for it to reach the store.
            var kept = before.Process.DiedAt - plan.Interval - TimeSpan.FromMilliseconds(400 + (2 * plan.StoreDelayMs));
            var least = course.Counts.LastOrDefault(count => kept is null || count.At <= kept).Counter;
            Check(
                session.Counter >= least,
                $"interval: {session} goes on from {session.Counter}, and {least} was counted long before");
        }

        course.Counts.Clear();
        course.Counts.Add((Now, session.Counter));
    }

    private Course Of(string identity)
    {
        if (!_courses.TryGetValue(identity, out var course))
        {
            _courses[identity] = course = new Course();
        }

        return course;
    }

    /// <summary>An identity's.</summary>
    private sealed class Course
    {
        public SimSession? Latest { get; set; }

        /// <summary>Those that were ever attached.</summary>
        public List<(SimSession Session, TimeSpan At)> All { get; } = [];

        public long Epoch { get; set; }

        public long RowEpoch { get; set; }

        public TimeSpan? Moved { get; set; }

        /// <summary>The highest counter that its peer has got.</summary>
        public long Replied { get; set; }

        /// <summary>Of the latest session.</summary>
        public List<(TimeSpan At, long Counter)> Counts { get; } = [];
    }

    /// <summary>Made only if it is wanted.</summary>
    [InterpolatedStringHandler]
    internal ref struct SimLine
    {
        private DefaultInterpolatedStringHandler _text;

        public SimLine(int literal, int holes, SimHistory history, out bool isWanted)
        {
            isWanted = history.IsLogged;
            _text = isWanted ? new DefaultInterpolatedStringHandler(literal, holes) : default;
        }

        public string Text => _text.ToStringAndClear();

        public static implicit operator SimLine(string text)
        {
            var line = default(SimLine);
            line._text = new DefaultInterpolatedStringHandler(text.Length, 0);
            line._text.AppendLiteral(text);
            return line;
        }

        public void AppendLiteral(string text) => _text.AppendLiteral(text);

        public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

        public void AppendFormatted<T>(T value, string format) => _text.AppendFormatted(value, format);
    }

    /// <summary>Made only if the check fails.</summary>
    [InterpolatedStringHandler]
    internal ref struct SimFinding
    {
        private DefaultInterpolatedStringHandler _text;

        public SimFinding(int literal, int holes, bool holds, out bool isWanted)
        {
            isWanted = !holds;
            _text = isWanted ? new DefaultInterpolatedStringHandler(literal, holes) : default;
        }

        public string Text => _text.ToStringAndClear();

        public void AppendLiteral(string text) => _text.AppendLiteral(text);

        public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

        public void AppendFormatted<T>(T value, string format) => _text.AppendFormatted(value, format);
    }

    private bool IsLogged => isLogged;
}

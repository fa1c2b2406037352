using System.Runtime.CompilerServices;

namespace Quorate.Core;

/// <summary>
/// The guards against the known ways in which systems like this one have broken, one name each; docs/pitfalls.md
/// maps pitfall to guard to test. In a normal build each is true and folded away. A build with MUTANTS defined
/// switches off the one that the environment variable QUORATE_MUTANT names, and the tests must then fail.
/// </summary>
public static class Guards
{
    /// <summary>
    /// R1: a leader proposes a change of membership only after it has committed an entry of its own term.
    /// </summary>
    public static bool MembershipChangeNeedsCommitInTerm => On();

    /// <summary>R1: a change of membership waits until the one before it is committed.</summary>
    public static bool OneMembershipChangeAtATime => On();

    /// <summary>R1: a change of membership is refused that would leave the group without a quorum that lives.</summary>
    public static bool MembershipNeedsLiveMajority => On();

    /// <summary>R2: a membership counts from the moment it is appended, not when it is applied.</summary>
    public static bool MembershipCountsWhenAppended => On();

    /// <summary>
    /// R3: a replica that is asked for its vote judges the candidate's log, not its own idea of who votes.
    /// </summary>
    public static bool AskedReplicaVotes => On();

    /// <summary>R4: a joint quorum is a majority of each half.</summary>
    public static bool JointNeedsBothMajorities => On();

    /// <summary>R5: a leader answers no read before it has committed an entry of its own term.</summary>
    public static bool ReadsWaitForCommitInTerm => On();

    /// <summary>
    /// R6: an answer to a heartbeat confirms only reads that were asked before that heartbeat was sent.
    /// </summary>
    public static bool RoundsConfirmOnlyEarlierReads => On();

    /// <summary>R6: a follower's read ids differ from those of its process before a restart.</summary>
    public static bool ReadIdsCarryBootNonce => On();

    /// <summary>R7: a restarted voter may have granted a lease that it forgot, so it waits one out.</summary>
    public static bool RestartedVoterWaitsOutLease => On();

    /// <summary>
    /// R7: a replica that has come to decide alone keeps its promise to the leader that removed itself.
    /// </summary>
    public static bool SoleVoterKeepsPromise => On();

    /// <summary>R1: a voter whose removal is not committed may have to lead, since it may be alone with that entry
    /// (Raft thesis, section 4.2.2).</summary>
    public static bool LeavingVoterMayLead => On();

    /// <summary>R8: TimeoutNow bypasses the lease, so the lease ends when a transfer starts.</summary>
    public static bool TransferEndsLease => On();

    /// <summary>R8: readers beside the group lose a lease before anything leaves that ends it.</summary>
    public static bool LeaseIsWithdrawnBeforeSends => On();

    /// <summary>R31: a reader beside the group sees all that was acknowledged, applied or not.</summary>
    public static bool FastReadsAwaitApplied => On();

    /// <summary>R9: a lease counts from the moment its heartbeat was sent.</summary>
    public static bool LeaseCountsFromSending => On();

    /// <summary>R9: a lease is shorter than the promise that backs it by the bound on clock drift.</summary>
    public static bool LeaseAllowsForDrift => On();

    /// <summary>R10: a vote leaves only after it is durable.</summary>
    public static bool VoteLeavesAfterSync => On();

    /// <summary>A replica begins no election before its disk has term and vote of the last one.</summary>
    public static bool CampaignsWaitForTheDisk => On();

    /// <summary>R10: an append is acknowledged only after its entries are durable.</summary>
    public static bool AppendAcknowledgedAfterSync => On();

    /// <summary>R12: a leader counts its own copy of an entry only when that is durable.</summary>
    public static bool LeaderCountsOnlyDurable => On();

    /// <summary>R12: an entry is applied only when this replica's copy is durable.</summary>
    public static bool ApplyOnlyDurable => On();

    /// <summary>R15: a completion of an old write says nothing of entries that have replaced what it wrote.</summary>
    public static bool TruncationClampsCompletions => On();

    /// <summary>R15: a completion counts only when all earlier ones are in.</summary>
    public static bool CompletionsCountInOrder => On();

    /// <summary>R16: the old log goes only after the record that replaces it is durable.</summary>
    public static bool OldLogOutlivesInstall => On();

    /// <summary>R17: while a snapshot is being installed, no other one is begun.</summary>
    public static bool OneInstallAtATime => On();

    /// <summary>R18: a snapshot carries the membership that was in force at its own index.</summary>
    public static bool SnapshotCarriesMembershipOfItsIndex => On();

    /// <summary>R20: a message is taken only by the incarnation that it names.</summary>
    public static bool MessagesNameTheIncarnation => On();

    /// <summary>
    /// R21: a candidate asks whether it could win before it raises its term (Raft thesis, section 9.6).
    /// </summary>
    public static bool PreVoteBeforeVote => On();

    /// <summary>
    /// R21, R7: a replica that hears from a leader refuses votes (Raft, section 6; the lease stands on it).
    /// </summary>
    public static bool LiveLeaderRefusesVotes => On();

    /// <summary>R21: a leader that no quorum answers steps down.</summary>
    public static bool LeaderChecksQuorum => On();

    /// <summary>R22: only a current leader's word or a vote given puts off an election.</summary>
    public static bool OnlyLeaderOrVoteDefersElection => On();

    /// <summary>R22: a leader or candidate of an older term is told the newer one, or it never learns.</summary>
    public static bool OlderTermIsAnswered => On();

    /// <summary>R23: a leadership transfer in progress ends with the leadership.</summary>
    public static bool TransferEndsWithRole => On();

    /// <summary>R24: a sleeping replica is woken by the word that its leader's node fell silent.</summary>
    public static bool SilenceWakesSleepers => On();

    /// <summary>R27: a follower cuts its log only where an entry conflicts (Raft, section 5.3).</summary>
    public static bool CutOnlyOnConflict => On();

    /// <summary>R28: what is read from the log's tail on open is made durable before anything acts on it.</summary>
    public static bool RecoveredTailMadeDurable => On();

    /// <summary>R31: a linearizable read covers writes that were acknowledged at level `leader`.</summary>
    public static bool ReadsCoverLeaderWrites => On();

    /// <summary>
    /// Raft, section 5.4.2 (figure 8): only entries of the leader's own term are committed by counting.
    /// </summary>
    public static bool CountOnlyOwnTerm => On();

    /// <summary>Raft, section 5.4.1: a vote goes only to a log at least as up to date as the voter's.</summary>
    public static bool VoteOnlyForUpToDateLog => On();

    /// <summary>Raft, section 5.2: one vote in a term.</summary>
    public static bool OneVotePerTerm => On();

    /// <summary>Raft, section 5.3: entries follow only an entry that matches.</summary>
    public static bool PreviousEntryMustMatch => On();

    /// <summary>Full memory refuses entries only while applying what is committed will free some: an entry of a new
    /// term may be all that is missing to commit the rest (seeds 300078, 302683, 303050).</summary>
    public static bool FullMemoryLetsCommitThrough => On();

    /// <summary>A session read whose token names a lost write is told so, and not given an older value.</summary>
    public static bool SessionTokensCarryTerm => On();

    /// <summary>A read of level `session` waits, at whatever replica, for what its client has seen.</summary>
    public static bool SessionReadsOweTheirToken => On();

    /// <summary>A write at level n is acknowledged only when n replicas hold it.</summary>
    public static bool LevelCountsReplicas => On();

    /// <summary>R11: a failed sync or write ends the log; nothing is acknowledged after it.</summary>
    public static bool FailedSyncIsFatal => On();

    /// <summary>R26: what a crash left of the last batches is cut, and the log opens.</summary>
    public static bool TornTailIsNotCorruption => On();

    /// <summary>
    /// R26: damage below an offset that a later batch names as durable is corruption, never a torn tail.
    /// </summary>
    public static bool DamageBelowDurableIsCorruption => On();

    /// <summary>R26: a batch fits only behind the very batch that it was written behind.</summary>
    public static bool ChecksumsAreChained => On();

    /// <summary>S5: space is not low, and writes are not refused, while the log's next segment is ready.</summary>
    public static bool ReadySegmentsAreSpace => On();

    /// <summary>R26: a batch with some records of an older one is not whole, though each record is.</summary>
    public static bool BatchesAreNoCrcOfCrcs => On();

    /// <summary>
    /// S1: what an earlier life of a recycled segment left in its file is never taken for the log's own.
    /// </summary>
    public static bool StaleBatchesAreNotRead => On();

    /// <summary>S1: headers and chains of the log are mixed with a secret, so that no client can forge one.</summary>
    public static bool HeadersAreKeyed => On();

    /// <summary>S8: the newest segment that was begun is named outside of it, so that its loss is noticed.</summary>
    public static bool NewestSegmentIsWitnessed => On();

    /// <summary>
    /// S7: a table ends before its making takes more memory than its share, and before it cannot be opened.
    /// </summary>
    public static bool TablesAreCut => On();

    /// <summary>R14: the log lets go of nothing that the durable checkpoint does not hold.</summary>
    public static bool LogOutlastsCheckpoint => On();

    /// <summary>R14: a segment is used again only when every stream has released what lies in it.</summary>
    public static bool RecycledOnlyWhenReleased => On();

    /// <summary>S1: a new file counts only when its name is durable too.</summary>
    public static bool NewFilesAreMadeNamed => On();

    /// <summary>S1: a checkpoint takes its name only after its bytes are durable.</summary>
    public static bool CheckpointSyncedBeforeNamed => On();

    /// <summary>S1: an older checkpoint goes only after the newer one and its name are durable.</summary>
    public static bool OldCheckpointOutlivesNew => On();

    /// <summary>S11: what the system says of a sync is what the disk says.</summary>
    public static bool NativeSyncErrorsAreReported => On();

    /// <summary>R11: after a failed sync of the real disk every later one fails, too.</summary>
    public static bool FailedNativeSyncIsFinal => On();

    /// <summary>S5: files do not grow into the reserve of free space.</summary>
    public static bool FreeSpaceReserveIsKept => On();

    /// <summary>R20: one process at a time has a data folder.</summary>
    public static bool DataFolderIsLocked => On();

    /// <summary>R20, S8: a data folder whose identity is damaged is nobody's.</summary>
    public static bool IdentityIsVerified => On();

    /// <summary>R20, S8: a data folder that has lost the note of whose it is, is nobody's.</summary>
    public static bool LostNotesAreMissed => On();

    /// <summary>D8: a replica that is being filled does not answer that a key is absent.</summary>
    public static bool FillingReplicasAnswerNothing => On();

    /// <summary>S7: checkpoints and merges of many partitions together stay within the node's memory.</summary>
    public static bool WorkWaitsForMemory => On();

    /// <summary>S7: a large merge that waits for memory is not passed over for ever by small ones.</summary>
    public static bool WorkBeginsInTurn => On();

    /// <summary>S7: memory granted for one merge is not taken for that of a larger one.</summary>
    public static bool LeasesFitTheWork => On();

    /// <summary>R17: clearing up after one checkpoint leaves newer ones and those that are being received.</summary>
    public static bool ClearingSparesOtherSnapshots => On();

    /// <summary>S8: a received snapshot or a checkpoint is verified before it is used.</summary>
    public static bool CheckpointsAreVerified => On();

    /// <summary>S8: the checksum of a sorted file's block is verified before the block is used.</summary>
    public static bool BlocksAreVerified => On();

    /// <summary>S8: a row that is read from disk is verified against the hash that came along with it.</summary>
    public static bool RowHashVerifiedOnLoad => On();

    /// <summary>S8: a block counts only in the file and at the place for which it was written.</summary>
    public static bool BlocksNameTheirPlace => On();

    /// <summary>S8: a sealed entry counts only at the place in the log for which it was sealed.</summary>
    public static bool EntriesNameTheirPlace => On();

    /// <summary>
    /// F27: a request whose number was executed is answered from what is remembered, never again executed.
    /// </summary>
    public static bool DuplicatesAreRecognised => On();

    /// <summary>
    /// F27: a number is looked up among the pending changes, too: the first one may not be applied yet.
    /// </summary>
    public static bool PendingDuplicatesAreRecognised => On();

    /// <summary>
    /// R25: a request of a session that may have been evicted is refused; nobody knows what it has done.
    /// </summary>
    public static bool EvictedSessionsAreRefused => On();

    /// <summary>S12: what a partition remembers of all its request sessions together is bounded.</summary>
    public static bool SessionsAreBounded => On();

    /// <summary>R25: a wall clock that jumps away from the monotonic one is not believed at once.</summary>
    public static bool ClockJumpsAreNotBelieved => On();

    /// <summary>R25: a node whose clock is far from those of most others logs by their time.</summary>
    public static bool StrayingNodesTakeOthersTime => On();

    /// <summary>R25: a node that was started logs nothing before it has compared its clock with others'.</summary>
    public static bool UnknownClocksLogNothing => On();

    /// <summary>R25: keys go on to expire while the logged time is ahead of the clock.</summary>
    public static bool LoggedTimeKeepsMoving => On();

    /// <summary>R25: expiry is judged by the logged time, never by a clock of a replica's own.</summary>
    public static bool ExpiryByLoggedTime => On();

    /// <summary>S12: what a request that was refused looked at is not read for whoever comes after it.</summary>
    public static bool WhoGivesUpWantsNothing => On();

    /// <summary>S12: what one request looks at is bounded.</summary>
    public static bool RequestsVisitBoundedRows => On();

    /// <summary>
    /// S12: a string that a command makes out of what stands there is no longer than the node has memory for.
    /// </summary>
    public static bool ComposedValuesAreBounded => On();

    /// <summary>S12: a command over all keys holds nothing of what it has passed while it waits for rows.</summary>
    public static bool PassedRowsAreLetGo => On();

    /// <summary>S12: what is evaluated in one turn of a partition is bounded.</summary>
    public static bool TurnsAreBounded => On();

    /// <summary>
    /// S12: a turn of many partitions that is long, since what they hold is large, is broken off for the heartbeats.
    /// </summary>
    public static bool LongTurnsKeepTime => On();

    /// <summary>S12: so is a round of many large inputs.</summary>
    public static bool LongRoundsKeepTime => On();

    /// <summary>S12: a heartbeat waits behind nothing, and is not lost for want of room for large messages.</summary>
    public static bool UrgentIsTakenFirst => On();

    /// <summary>
    /// S12: checkpoints and merges of large rows take of the heap that requests need, and count there.
    /// </summary>
    public static bool LargeWorkIsCounted => On();

    /// <summary>S12: reads that spend their part of each turn leave writes theirs.</summary>
    public static bool ReadsLeaveWritesTheirTurn => On();

    /// <summary>R29: each change of an entry has a version of its own.</summary>
    public static bool VersionsDifferWithinAnEntry => On();

    /// <summary>R29: a version that a client holds names the term of its write, which may have been lost.</summary>
    public static bool ClientVersionsCarryTerm => On();

    /// <summary>R29: a version with a term does not name a row whose term is forgotten.</summary>
    public static bool ForgottenTermsNameNothing => On();

    /// <summary>R32: a concurrent reader whose slot was changed meanwhile reads again.</summary>
    public static bool ReadersRetryOnChange => On();

    /// <summary>R32: the slots that a batch changes stay closed to readers until all of it is done.</summary>
    public static bool BatchesArePublishedWhole => On();

    /// <summary>R32: a concurrent reader sees a clear when it sees the rest of its batch.</summary>
    public static bool ClearsShowWithTheirBatch => On();

    /// <summary>R32: who has seen an applied index finds no older rows; so rows are shown before their index.</summary>
    public static bool RowsShowBeforeTheirIndex => On();

    /// <summary>A concurrent reader that misses a row in memory asks, unless nothing is on disk.</summary>
    public static bool RowsMissingInMemoryAreCold => On();

    /// <summary>S4: native memory that concurrent readers may look at is not freed before they have left.</summary>
    public static bool RetiredMemoryWaitsForReaders => On();

    /// <summary>S3: a row that is overwritten while a checkpoint is written stays for it as it was.</summary>
    public static bool FreezeKeepsOverwrittenRows => On();

    /// <summary>S2: a tombstone stays as long as an older table may hold what it hides.</summary>
    public static bool TombstonesOutliveOlderRows => On();

    /// <summary>S2: an expired row that is dropped goes on hiding what older tables hold under its key.</summary>
    public static bool ExpiredRowsHideOlderOnes => On();

    /// <summary>S2: a merge of older tables takes no collection for expired that newer ones may have
    /// prolonged.</summary>
    public static bool ProlongedCollectionsKeepTheirElements => On();

    /// <summary>S4: a table's file stays while a fetch, a transfer or a compaction reads it.</summary>
    public static bool FilesInUseAreKept => On();

    /// <summary>With too many tables some are merged before another checkpoint begins.</summary>
    public static bool TablesStayBounded => On();

    /// <summary>S4: no merge begins over tables that another one is about to replace.</summary>
    public static bool MergesSpareEachOther => On();
    /// <summary>Rows in memory that a table holds too go when memory is short.</summary>
    public static bool CleanRowsAreEvicted => On();

    /// <summary>While rows that no checkpoint has yet fill the memory, a node takes no more writes.</summary>
    public static bool OverfullMemoryRefusesWrites => On();

    /// <summary>A collection that is made anew shows nothing of one that stood under its key before.</summary>
    public static bool NewCollectionNewGeneration => On();

    /// <summary>A command that meets a cold row is run again, and has neither answered nor changed anything.</summary>
    public static bool ColdIsNotAbsent => On();

    /// <summary>What a failed command has changed is undone, and what others of its batch have is not.</summary>
    public static bool ErrorUndoesItsChanges => On();

    /// <summary>When a pending change comes to nothing, the pending one before it is seen again.</summary>
    public static bool CutUncoversOlderChange => On();

    /// <summary>R34: a connection's read waits for its own writes before it.</summary>
    public static bool ReadsWaitForOwnWrites => On();
    /// <summary>A founding is durable before anyone hears of it, so that a restart founds nothing else.</summary>
    public static bool FoundingIsDurableFirst => On();

    /// <summary>Who has heard of a cluster founds none, and none is founded with it.</summary>
    public static bool WhoKnowsAClusterFoundsNone => On();

    /// <summary>A cluster is founded only once every seed has said that it belongs to none.</summary>
    public static bool EverySeedIsHeardAtFounding => On();

    /// <summary>S8: a partition is opened, and its files go, only once the file of the map says so durably.</summary>
    public static bool MapIsDurableFirst => On();

    /// <summary>A write that may have been executed is asked again only when its session would recognise it.</summary>
    public static bool UnknownWritesAreNotRepeated => On();

    /// <summary>A group to which little happens lets go of the log's oldest segment when the log asks, whatever it
    /// would keep for followers that may fall behind.</summary>
    public static bool SpaceOutranksRetention => On();

    /// <summary>
    /// Entries that nobody can release, of a group that has lost its quorum, are written again when they pin the log.
    /// </summary>
    public static bool PinnedEntriesAreWrittenAgain => On();

    /// <summary>An entry is written again only while it is the one that was read for it.</summary>
    public static bool OnlyHeldEntriesAreWrittenAgain => On();

    /// <summary>A read that was under way while its entries were written again looks for them anew.</summary>
    public static bool MovedEntriesAreReadAnew => On();

    /// <summary>When the log asks for space again and a follower, though alive, has come no further since, nothing is
    /// kept for it: one node whose disk is full does not fill those of its leaders.</summary>
    public static bool SpaceOutranksStuckFollowers => On();

    /// <summary>
    /// A write that one node may have executed is not called refused because another node refuses it.
    /// </summary>
    public static bool LostWritesStayUnknown => On();

    /// <summary>Calls do not overtake one that was refused for a reason of place and is asked again.</summary>
    public static bool CallsWaitBehindTheRefused => On();

    /// <summary>
    /// A node that refused a call of a round for a reason of place refuses those after it in that round, too.
    /// </summary>
    public static bool RefusedRoundStaysRefused => On();

    /// <summary>S6: the length of a frame that another node names is judged before it is believed.</summary>
    public static bool FramesAreBounded => On();

    /// <summary>S7: nothing more is read from a client for which too much waits already.</summary>
    public static bool RepliesWaitingAreBounded => On();

    /// <summary>S7: a client that takes nothing of what waits for it is cut after a time.</summary>
    public static bool StalledClientsAreCut => On();

    /// <summary>R20: nobody talks to a node of another cluster, whoever has its address now.</summary>
    public static bool OtherClustersAreRefused => On();

    /// <summary>R33: what is urgent leaves before what is large, piece by piece.</summary>
    public static bool UrgentLeavesFirst => On();

    /// <summary>S5: a node whose disk is full hands its leaderships to nodes whose disks are not.</summary>
    public static bool FullNodesLeadNothing => On();

    /// <summary>
    /// R21: while a node itself was held up nobody could be heard by it, so that time is nobody's silence.
    /// </summary>
    public static bool OwnStallIsNobodysSilence => On();
    /// <summary>
    /// S9: a node does not start with a master key that does not open what its folder holds, nor without one.
    /// </summary>
    public static bool MasterKeyIsProvenAtStart => On();

    /// <summary>S9: a replica takes no entry that was sealed with a data key which it does not hold yet.</summary>
    public static bool EntriesAwaitTheirKey => On();

    /// <summary>S7: the replies that wait for all clients together are bounded, not those of each alone.</summary>
    public static bool RepliesOfAllAreBounded => On();

    /// <summary>S7: a request is taken only while what is under way on the whole node leaves room for it.</summary>
    public static bool UnderWayIsBounded => On();

    /// <summary>S7: what was proposed and is not applied is bounded for all partitions of a node together.</summary>
    public static bool PendingOfAllIsBounded => On();

    /// <summary>S7: large replies are made one at a time, and counted before the next is made.</summary>
    public static bool LargeReadsAreOneAtATime => On();

    /// <summary>S7: before something large is made, the heap is asked whether it has room for it.</summary>
    public static bool HeapIsAskedFirst => On();

    /// <summary>F27: what was refused for want of memory is not remembered as done: it can be sent again.</summary>
    public static bool RefusedForMemoryIsForgotten => On();

    /// <summary>S9: no data key comes into the metadata that its leader's master key does not open.</summary>
    public static bool WrappedKeysAreProven => On();

    /// <summary>R20: a message of a node speaks for replicas of that node alone.</summary>
    public static bool NodesSpeakForThemselves => On();

    /// <summary>After the end of a connection nothing is sent until the node has heard of it, so that nothing that was
    /// sent since is taken for what was lost with it.</summary>
    public static bool LossesAreHeardFirst => On();

    /// <summary>
    /// R31: WAIT vouches for a write of a leader alone only when that still stands, whoever leads since.
    /// </summary>
    public static bool WaitProvesWhatItCounts => On();

    /// <summary>S8: the newest segment of the log must be as long as it was made.</summary>
    public static bool SegmentsKeepTheirLength => On();

    /// <summary>
    /// R11: of a log's file that an earlier process left nothing is taken for durable, not even its length.
    /// </summary>
    public static bool LeftOverFilesAreMadeAnew => On();

    /// <summary>S6: answers that wait for a log which stands still are bounded.</summary>
    public static bool WaitingAnswersAreBounded => On();

    /// <summary>S6: reads of the log that are under way are bounded together, whoever asked for them.</summary>
    public static bool LogReadsAreBounded => On();

    /// <summary>R29: a request's number is taken by the next command, whatever becomes of it, and by no
    /// other.</summary>
    public static bool NumbersAreTakenOnce => On();

    /// <summary>R29: what was to have a number that was refused is not done without one.</summary>
    public static bool RefusedNumbersStopTheNext => On();

    /// <summary>R5: whether a numbered database exists is asked of the metadata group before a linearizable command is
    /// answered as on an empty one.</summary>
    public static bool AbsenceIsAskedFor => On();
    /// <summary>S6: who leaves a command unfinished while others wait for the memory is cut after a time.</summary>
    public static bool UnfinishedInputIsCut => On();

    /// <summary>F27: a request session is one that a node has given, not one that two clients may have made
    /// up.</summary>
    public static bool SessionsAreGiven => On();

    /// <summary>S6: a buffer that each partition keeps for its next use does not stay as large as one value has made
    /// it.</summary>
    public static bool LargeBuffersAreLetGo => On();

    /// <summary>S5: a log that finds no space for its next segment waits for it, and acknowledges nothing.</summary>
    public static bool FullLogsWait => On();

    /// <summary>S5: where a log segment that must grow finds no space, files of the log that nobody needs go
    /// first.</summary>
    public static bool FreedFilesMakeRoom => On();

    /// <summary>S6: what waits for an EXEC counts in the room that the commands of all clients share.</summary>
    public static bool QueuedInputIsCounted => On();
    /// <summary>A put of a whole entry that names a version does nothing to a key that has another.</summary>
    public static bool StaleEntriesAreRefused => On();

    /// <summary>A put that wants no such key is refused where there is one, though of the same value.</summary>
    public static bool LocksAreTakenOnce => On();

    /// <summary>S7: answers over HTTP that wait to be read are bounded together.</summary>
    public static bool HttpAnswersAreBounded => On();

    /// <summary>S14: pages of other sites get nothing over HTTP, whatever name they have for the node.</summary>
    public static bool ForeignPagesAreRefused => On();

    /// <summary>
    /// R25: a request with an Idempotency-Key is looked for in the windows beside its own before it is done.
    /// </summary>
    public static bool RepeatsAreLookedForBeside => On();

    /// <summary>R25: an Idempotency-Key that comes with another request is refused.</summary>
    public static bool RepeatsAreOfOneBody => On();

    /// <summary>S8: memory that runs out, and a broken invariant, end the process on whatever thread that is and
    /// whoever would catch it there.</summary>
    public static bool EndsAreTheSameEverywhere => On();

    /// <summary>S7: whoever should read what a process prints is waited for no longer than was said.</summary>
    public static bool ReadersAreNotWaitedFor => On();

#if MUTANTS
#pragma warning disable RS0030 // The only look at the process, and only in a mutants build.
    private static readonly string? Off = Environment.GetEnvironmentVariable("QUORATE_MUTANT");
#pragma warning restore RS0030

    private static bool On([CallerMemberName] string guard = "") =>
        !string.Equals(Off, guard, StringComparison.Ordinal);
#else
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool On() => true;
#endif
}

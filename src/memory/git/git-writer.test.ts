import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../kernel/log.ts';
import { createRepository, record } from '../../../test/fixtures/git-repository.ts';
import { runGit } from '../../../test/fixtures/memory-in-temp.ts';
import { choosePacks } from './fold-packs.ts';
import { createGitWriter } from './git-writer.ts';
import { createPackBuilder } from './pack-builder.ts';
import { installPack } from './pack-files.ts';
import { openLanding, writeLandingFile } from './landing.ts';
import { moveMain, readMain } from './move-ref.ts';
import { removeLeftovers } from './repository.ts';
import { createGit } from './run-git.ts';

describe('the Git writer', () => {
  it('writes the tree that the writes describe, with objects that Git accepts', async () => {
    const name = fc.constantFrom('a', 'b', 'a-b', 'a.b', 'a0', 'ab', 'z%41', '_');
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join('/')}.md`);
    const write = fc.tuple(path, fc.option(fc.string({ unit: 'binary', maxLength: 20 }), { freq: 3 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(write, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 }),
        async (batches) => {
          await using repository = await createRepository();
          await using writer = createGitWriter(repository);
          const model = new Map<string, string>();
          let seq = 0;
          for (const batch of batches) {
            await writer.commit(batch.map(([file, text]) => record(++seq, file, text)));
            for (const [file, text] of batch) {
              if (text === null) model.delete(file);
              else model.set(file, text.toWellFormed());
            }
          }
          expect(repository.files().sort()).toEqual([...model.keys()].sort());
          for (const [file, text] of model) {
            expect(runGit(repository.repositoryDir, 'cat-file', 'blob', `main:${file}`)).toBe(text);
          }
          expect(runGit(repository.repositoryDir, 'fsck', '--full', '--strict')).toBe('');
          expect(repository.log('%H')).toHaveLength(seq);
        },
      ),
      { numRuns: 5 },
    );
  });

  it('makes the objects that git fast-import makes', async () => {
    await using ours = await createRepository();
    await using theirs = await createRepository();
    await using writer = createGitWriter(ours);
    const writes = Array.from({ length: 40 }, (_, i) =>
      record(i + 1, `d${i % 3}/f${i % 7}.json`, i % 5 === 4 ? null : `v${i}`),
    );
    await writer.commit(writes);
    const script = writes.map((one) => {
      const change =
        one.content === null
          ? `D ${one.path}\n`
          : `M 100644 inline ${one.path}\ndata ${one.content.length}\n${one.content.toString()}\n`;
      return `commit refs/heads/main\ncommitter x <x@x> 1 +0000\ndata 0\n${change}\n`;
    });
    await theirs.git.run(['fast-import', '--quiet'], script.join(''));
    expect(ours.log('%T')).toEqual(theirs.log('%T'));
  });

  it('gives way to folders and files of others at the same name', async () => {
    await using repository = await createRepository();
    const { git, repositoryDir } = repository;
    await using writer = createGitWriter(repository);
    const blob = (await git.run(['hash-object', '-w', '--stdin'], 'x')).toString().trim();
    const folder = (await git.run(['mktree'], `100644 blob ${blob}\tinner\n`)).toString().trim();
    const tree = (
      await git.run(
        ['mktree'],
        `040000 tree ${folder}\ta.md\n100644 blob ${blob}\tb\n120000 blob ${blob}\tlink\n`,
      )
    )
      .toString()
      .trim();
    const identity = ['-c', 'user.name=x', '-c', 'user.email=x@x'];
    const commit = (await git.run([...identity, 'commit-tree', tree, '-m', 'foreign'])).toString().trim();
    expect(moveMain(repositoryDir, null, commit)).toBe(true);
    await writer.commit([record(1, 'a.md', 'file'), record(2, 'b/c.md', 'in a folder')]);
    expect(repository.files()).toEqual(['a.md', 'b/c.md', 'link']);
    expect(runGit(repositoryDir, 'fsck', '--full', '--strict')).toBe('');
  });

  it('commits on top of a push that came between, and skips what is in Git', async () => {
    await using repository = await createRepository();
    const { repositoryDir } = repository;
    await using writer = createGitWriter(repository);
    await writer.commit([record(1, 'a.md', 'one')]);
    runGit(repository.journalDir, 'clone', '--quiet', 'memory.git', 'clone');
    const clone = join(repository.journalDir, 'clone');
    writeFileSync(join(clone, 'theirs.md'), 'theirs');
    runGit(clone, 'add', '.');
    runGit(clone, 'commit', '--quiet', '-m', 'theirs');
    runGit(clone, 'push', '--quiet');
    const pushed = readMain(repositoryDir);
    const outcome = await writer.commit([record(1, 'a.md', 'one'), record(2, 'b.md', 'two')]);
    expect(outcome).toMatchObject({ base: pushed, landedSeq: 2, commits: [{ seqs: [2] }] });
    expect(repository.files()).toEqual(['a.md', 'b.md', 'theirs.md']);
    expect(await writer.commit([record(2, 'b.md', 'two')])).toMatchObject({ commits: [], landedSeq: 2 });
  });

  it('counts an attempt that landed before a crash, and not one that did not', async () => {
    await using repository = await createRepository();
    const { git, repositoryDir, journalDir } = repository;
    const landingFile = join(journalDir, 'landed.json');
    await using writer = createGitWriter(repository);
    const records = [record(1, 'a.md', 'one'), record(2, 'b.md', 'two')];
    await writer.commit(records.slice(0, 1));
    const head = readMain(repositoryDir) ?? '';
    writeLandingFile(landingFile, { landed: null, attempts: [{ seq: 7, commit: head }] });
    expect(await openLanding(git, landingFile, head, records)).toMatchObject({ seq: 7 });
    writeLandingFile(landingFile, {
      landed: { seq: 1, commit: head },
      attempts: [{ seq: 7, commit: 'f'.repeat(40) }],
    });
    expect(await openLanding(git, landingFile, head, records)).toMatchObject({ seq: 1 });
    for (const damage of ['damaged', '{}', '{"landed":{"seq":7}', '\0'.repeat(64)]) {
      writeFileSync(landingFile, damage);
      expect(await openLanding(git, landingFile, head, records)).toEqual({ seq: 1, commit: head });
    }
    writeFileSync(landingFile, '');
    expect(await openLanding(git, landingFile, head, records.slice(1))).toBe(null);
  });

  it('skips what is in Git also when the mark of it is lost', async () => {
    await using repository = await createRepository();
    const { journalDir } = repository;
    const records = [1, 2, 3].map((seq) => record(seq, `${seq}.md`, 'text', { replica: 'a' }));
    {
      await using writer = createGitWriter(repository);
      await writer.commit(records.slice(0, 2));
      // Of another run, so they are other writes, though their sequences are known.
      await writer.commit([record(3, '3.md', 'text', { replica: 'b' }), record(900, 'more.md', 'text')]);
    }
    rmSync(join(journalDir, 'landed.json'));
    await using writer = createGitWriter(repository);
    expect(await writer.commit(records)).toMatchObject({ commits: [{ seqs: [3] }], landedSeq: 3 });
  });

  it('folds many packs and goes on', async () => {
    await using repository = await createRepository();
    const { repositoryDir } = repository;
    await using writer = createGitWriter(repository);
    for (let seq = 1; seq <= 64; seq++) await writer.commit([record(seq, `f${seq % 9}.md`, `text ${seq}`)]);
    expect(await writer.upkeep()).toBe(true);
    expect(await writer.upkeep()).toBe(false);
    await writer.commit([record(65, 'f1.md', 'after')]);
    const packs = readdirSync(join(repositoryDir, 'objects/pack')).filter((name) => name.endsWith('.pack'));
    expect(packs.length).toBeLessThan(10);
    runGit(repositoryDir, 'multi-pack-index', 'verify');
    expect(readdirSync(join(repositoryDir, 'objects/pack'))).toContain('multi-pack-index');
    expect(repository.log('%H')).toHaveLength(65);
    expect(runGit(repositoryDir, 'fsck', '--full', '--strict')).toBe('');
  });
});

describe('removeLeftovers', () => {
  it('keeps a pack whose commit is on main, and takes away one that never got there', async () => {
    await using repository = await createRepository();
    const { git, repositoryDir } = repository;
    await using writer = createGitWriter(repository);
    await writer.commit([record(1, 'a.md', 'one')]);
    const head = readMain(repositoryDir) ?? '';
    const packs = join(repositoryDir, 'objects/pack');
    const landed = readdirSync(packs).find((name) => name.endsWith('.pack')) ?? '';
    writeFileSync(join(packs, landed.replace('.pack', '.keep')), `git-memory-mcp ${head}\n`);
    writeFileSync(join(packs, `pack-${'f'.repeat(40)}.keep`), 'of someone else');
    const pack = createPackBuilder();
    const lost = pack.add(
      'commit',
      Buffer.from(runGit(repositoryDir, 'cat-file', 'commit', 'main').replace('ann', 'bob')),
    );
    installPack(repositoryDir, pack.finish(), lost.toString('hex'));
    const lock = join(repositoryDir, 'refs/heads/main.lock');
    writeFileSync(lock, `${lost.toString('hex')}\n`);
    await removeLeftovers(git, head, [], silentLogger);
    expect(existsSync(lock)).toBe(false);
    expect(
      readdirSync(packs)
        .filter((name) => !name.endsWith('.idx'))
        .sort(),
    ).toEqual([landed, `pack-${'f'.repeat(40)}.keep`].sort());
  });
});

describe('installPack', () => {
  it.skipIf(process.platform !== 'linux')('shows Git no index that it takes away again', async () => {
    await using repository = await createRepository();
    const packs = join(repository.repositoryDir, 'objects/pack');
    const pack = createPackBuilder();
    pack.add('blob', Buffer.from('one'));
    const files = pack.finish();
    const seen: string[] = [];
    const last = `pack-${files.name}.idx`;
    await new Promise<void>((resolve) => {
      const watcher = watch(packs, (_event, name) => {
        seen.push(name ?? '');
        if (name !== last) return;
        watcher.close();
        resolve();
      });
      installPack(repository.repositoryDir, files, '0'.repeat(40));
    });
    expect(seen.filter((name) => name.endsWith('.idx'))).toEqual([last]);
    expect(seen.filter((name) => name.endsWith('.pack'))).toEqual([`pack-${files.name}.pack`]);
  });
});

describe('choosePacks', () => {
  it('leaves packs that are much bigger than all smaller ones', () => {
    const packs = [1, 1, 2, 8, 100, 150].map((bytes) => ({ bytes }));
    expect(choosePacks(packs).map((pack) => pack.bytes)).toEqual([1, 1, 2, 8]);
    expect(choosePacks([{ bytes: 1 }, { bytes: 1000 }])).toHaveLength(2);
  });
});

describe('moveMain', () => {
  it('compares, swaps, and respects the lock of others', async () => {
    await using repository = await createRepository();
    const { git, repositoryDir } = repository;
    const [one, two] = ['1', '2'].map((digit) => digit.repeat(40));
    expect(moveMain(repositoryDir, 'f'.repeat(40), one ?? '')).toBe(false);
    expect(moveMain(repositoryDir, null, one ?? '')).toBe(true);
    expect(moveMain(repositoryDir, null, two ?? '')).toBe(false);
    const lock = join(repositoryDir, 'refs/heads/main.lock');
    writeFileSync(lock, '');
    expect(() => moveMain(repositoryDir, one ?? '', two ?? '')).toThrowError(
      expect.objectContaining({ code: 'GIT_FAILED' }),
    );
    utimesSync(lock, 1, 1);
    expect(moveMain(repositoryDir, one ?? '', two ?? '')).toBe(true);
    writeFileSync(lock, `${one}\n`);
    await removeLeftovers(git, two ?? '', [one ?? ''], silentLogger);
    expect(moveMain(repositoryDir, two ?? '', one ?? '')).toBe(true);
  });

  it('reads packed refs, and refuses a damaged one', async () => {
    await using repository = await createRepository();
    await using writer = createGitWriter(repository);
    await writer.commit([record(1, 'a.md', 'one')]);
    const head = readMain(repository.repositoryDir);
    runGit(repository.repositoryDir, 'pack-refs', '--all', '--prune');
    expect(readMain(repository.repositoryDir)).toBe(head);
    await writer.commit([record(2, 'a.md', 'two')]);
    expect(repository.log('%s')).toEqual(['store shared/a.md', 'store shared/a.md']);
    mkdirSync(join(repository.repositoryDir, 'refs/heads'), { recursive: true });
    writeFileSync(join(repository.repositoryDir, 'refs/heads/main'), '');
    expect(() => readMain(repository.repositoryDir)).toThrowError(
      expect.objectContaining({ code: 'GIT_FAILED' }),
    );
  });
});

describe('createGit', () => {
  it('says so when there is no git', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '';
    try {
      await expect(createGit('/nowhere').run(['version'])).rejects.toThrowError(
        expect.objectContaining({ code: 'GIT_MISSING' }),
      );
    } finally {
      process.env['PATH'] = path;
    }
  });
});

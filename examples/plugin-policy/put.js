/** All calls go to one instance until it has this many under way, then to the next: the others may go to sleep. */
const most = 8;

export default () => ({
  name: 'put',
  // Called for each server with replicas, and for each group of instances.
  create() {
    let members = [];
    return {
      name: 'put',
      isSticky: false,
      setMembers(fresh) {
        members = fresh;
      },
      pick(_key, except) {
        const others = members.filter((member) => member !== except);
        if (others.length === 0) return members[0];
        return (
          others.find(({ inFlight }) => inFlight < most) ??
          others.reduce((a, b) => (b.inFlight < a.inFlight ? b : a))
        );
      },
    };
  },
});
